/* What a wallet does with its folder, with the Nth call of its world failing: keys made, imported, opened; a keystore sealed and opened;
 * books opened and charged. An address that was told opens again, a charge that was told to be on the disk is found, keys that are there
 * are never replaced, and the next time succeeds. */
#include "actors/base/crypto/crypto.h"
#include "actors/wallet/ink.h"
#include "actors/wallet/keystore.h"
#include "actors/wallet/making.h"
#include "tests/nth/trial.h"
#include "tests/unit/wallet/folder.h"

#include <poll.h>
#include <sys/mman.h>

enum { CHARGES = 24, ALONE = 3, ROUNDS = 1024 };
#define PASSPHRASE "correct horse"
/* What holds keys, and the thread of the books, are made once, at a birth. */
enum { DIES = NTH_MEMORY | NTH_MAP | NTH_SYNC | NTH_FD | NTH_PROCESS };

struct seen { /* what outlives the child */
	enum making_end made;
	enum keyfile_end keys;
	enum spent_end books;
	struct address address;
	bool told, wrong, ended;
	char why[MAKING_WHY];
	uint64_t dry; /* so many charges were told to be on the disk */
};

struct desk {
	struct folder folder;
	struct seen *seen;
	char json[KEYSTORE_TEXT];
	int file, line; /* what is imported; what a person types */
	struct charge charges[CHARGES];
};

static struct desk desk;

static void setup(void)
{
	desk.seen = mmap(NULL, sizeof *desk.seen, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	cr_assert_neq(desk.seen, MAP_FAILED);
	crypto_warm();
}

TestSuite(wallet, .init = setup, .timeout = 3000);

static int file_of(const char *text)
{
	int fd = memfd_create("typed", MFD_CLOEXEC);
	cr_assert_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	cr_assert_eq(lseek(fd, 0, SEEK_SET), 0);
	return fd;
}

/* -- keys --------------------------------------------------------------------------------------------------------------- */

static struct making making_of(struct desk *d)
{
	return (struct making){.folder = d->folder.fd,
			       .node = NODE,
			       .secret = d->folder.secret,
			       .signer = d->folder.signer,
			       .keys = d->folder.opened,
			       .file = d->file};
}

/* Secret memory is not there in a child: it takes its own, as at a birth. */
static void begin(struct desk *d)
{
	enum secret_wall got;
	d->folder.keys = fixed_keys(d->folder.signer);
	trial_begin();
	d->folder.opened = keys_new(SECRET_HIDDEN, &got);
}

static void note(struct desk *d, enum making_end end)
{
	d->seen->made = end;
	d->seen->told = end == MAKING_OK;
	d->seen->address = d->folder.opened->address;
	d->seen->ended = true;
}

static void body_new(void *context)
{
	struct desk *d = context;
	begin(d);
	struct making making = making_of(d);
	bool made;
	enum making_end end = making_new(&making, &made, &d->seen->keys);
	trial_over();
	note(d, end);
}

static void body_import(void *context)
{
	struct desk *d = context;
	dup2(d->line, STDIN_FILENO);
	begin(d);
	struct making making = making_of(d);
	enum making_end end = making_import(&making, &d->seen->keys, d->seen->why);
	trial_over();
	note(d, end);
	d->seen->wrong = end == MAKING_REFUSED && strlen(d->seen->why) < 10;
}

static void body_open(void *context)
{
	struct desk *d = context;
	begin(d);
	d->seen->keys = folder_open(&d->folder);
	trial_over();
	note(d, d->seen->keys == KEYFILE_OK ? MAKING_OK : MAKING_KEYS);
	/* They are there: nothing that the world does makes them seem not to be, or to be damaged. */
	d->seen->wrong = d->seen->keys == KEYFILE_ABSENT || d->seen->keys == KEYFILE_DAMAGED ||
			 d->seen->keys == KEYFILE_WRONG_SECRET || d->seen->keys == KEYFILE_OTHER_NODE;
}

static void before_keys(void *context)
{
	struct desk *d = context;
	*d->seen = (struct seen){0};
	d->file = d->line = -1;
	folder_make(&d->folder);
}

static void before_hex(void *context)
{
	struct desk *d = context;
	before_keys(d);
	d->file = file_of(FIXED_SECRET "\n");
	d->line = file_of("");
}

static void before_keystore(void *context)
{
	struct desk *d = context;
	before_keys(d);
	d->file = file_of(d->json);
	d->line = file_of(PASSPHRASE "\n");
}

static void before_kept(void *context)
{
	struct desk *d = context;
	before_keys(d);
	cr_assert_eq(folder_write(&d->folder), KEYFILE_OK);
}

static void look(struct desk *d, const struct trial *trial)
{
	const char *name = trial->page->name;
	cr_assert(trial->aborted || d->seen->ended, "%s", trial->what);
	cr_assert_not(d->seen->wrong, "%s (%s): it says what is not so: %s %s", trial->what, name,
		      keyfile_sentence(d->seen->keys), d->seen->why);
	if (!trial->fired)
		cr_assert_eq(d->seen->made, MAKING_OK, "%s: %s", trial->what, d->seen->why);
}

static void after_keys(void *context, const struct trial *trial)
{
	struct desk *d = context;
	struct making making = making_of(d);
	enum keyfile_end end = folder_open(&d->folder);
	bool made;
	look(d, trial);
	cr_assert(end == KEYFILE_OK || (end == KEYFILE_ABSENT && !d->seen->told), "%s (%s): %s", trial->what,
		  trial->page->name, keyfile_sentence(end));
	struct address there = d->folder.opened->address;
	if (d->seen->told)
		cr_assert(memcmp(&there, &d->seen->address, sizeof there) == 0, "%s", trial->what);
	/* What is there stays; else they are made now. */
	cr_assert_eq(making_new(&making, &made, &d->seen->keys), MAKING_OK, "%s", trial->what);
	cr_assert_eq(made, end == KEYFILE_ABSENT);
	if (end == KEYFILE_OK)
		cr_assert(memcmp(&there, &d->folder.opened->address, sizeof there) == 0, "%s", trial->what);
	cr_assert_eq(folder_entries(&d->folder), 1U, "%s: something was left beside the keys", trial->what);
	if (d->file >= 0)
		close(d->file), close(d->line);
	folder_remove(&d->folder);
}

Test(wallet, made)
{
	static const struct work work = {"keys made", DIES, before_keys, body_new, after_keys};
	cr_expect_gt(try_all(&work, &desk), 5U);
}

Test(wallet, imported)
{
	static const struct work hex = {"hex imported", DIES, before_hex, body_import, after_keys};
	static const struct work keystore = {"keystore imported", DIES, before_keystore, body_import,
					     after_keys};
	struct keystore_work derived;
	struct keystore sealed;
	folder_make(&desk.folder);
	keystore_seal(desk.folder.keys->wallet_secret, &desk.folder.keys->address, PASSPHRASE, ROUNDS,
		      &derived, &sealed);
	keystore_print(&sealed, desk.json);
	folder_remove(&desk.folder);
	cr_expect_gt(try_all(&hex, &desk), 5U);
	cr_expect_gt(try_all(&keystore, &desk), 5U);
}

Test(wallet, opened)
{
	static const struct work work = {"keys opened", DIES, before_kept, body_open, after_keys};
	cr_expect_gt(try_all(&work, &desk), 5U);
}

/* -- a keystore --------------------------------------------------------------------------------------------------------- */

static void body_keystore(void *context)
{
	struct desk *d = context;
	struct keystore_work derived;
	struct keystore sealed, read;
	uint8_t secret[WALLET_SECRET];
	char why[KEYSTORE_WHY];
	begin(d);
	keystore_seal(d->folder.keys->wallet_secret, &d->folder.keys->address, PASSPHRASE, ROUNDS, &derived,
		      &sealed);
	size_t length = keystore_print(&sealed, d->json);
	bool parsed = keystore_parse(d->json, length, &read, why);
	bool same = parsed && keystore_open(&read, PASSPHRASE, &derived, secret);
	trial_over();
	note(d, MAKING_OK);
	d->seen->told = false; /* nothing of it is on the disk */
	d->seen->wrong = parsed ? !same : strlen(why) < 10;
	if (parsed)
		return;
	d->seen->made = MAKING_REFUSED;
	memcpy(d->seen->why, why, sizeof why);
}

Test(wallet, sealed_as_a_keystore)
{
	static const struct work work = {"keystore", DIES, before_keys, body_keystore, after_keys};
	cr_expect_gt(try_all(&work, &desk), 5U);
}

/* -- books -------------------------------------------------------------------------------------------------------------- */

static uint64_t wait_dry(struct ink *ink, uint64_t least)
{
	uint64_t dry;
	while ((dry = ink_dry(ink)) < least)
		poll(&(struct pollfd){.fd = ink_fd(ink), .events = POLLIN}, 1, -1);
	return dry;
}

/* Three alone, then all others at once. */
static void body_books(void *context)
{
	struct desk *d = context;
	struct spent *spent;
	uint8_t slot[SPENT_SLOT];
	bool made;
	begin(d);
	d->seen->books = spent_open(d->folder.fd, &spent, &made);
	struct ink *ink = d->seen->books == SPENT_OK ? ink_start(spent_fd(spent)) : NULL;
	for (unsigned i = 0; ink && i < CHARGES; i++) {
		uint64_t at = spent_add(spent, &d->charges[i], spent_now(spent, 1800000000), slot);
		if (!ink_put(ink, at, slot))
			d->seen->wrong = true;
		if (i < ALONE || i + 1 == CHARGES)
			d->seen->dry = wait_dry(ink, i + 1);
	}
	if (ink)
		ink_end(&ink);
	spent_free(&spent);
	trial_over();
	note(d, d->seen->books == SPENT_OK ? MAKING_OK : MAKING_KEYS);
	d->seen->told = false;
	if (d->seen->books == SPENT_DAMAGED || d->seen->books == SPENT_NEWER)
		d->seen->wrong = true;
}

static void before_books(void *context)
{
	struct desk *d = context;
	before_keys(d);
	for (unsigned i = 0; i < CHARGES; i++) {
		d->charges[i] = (struct charge){.chain = 1370, .nonce = i, .rule = "pay"};
		memset(&d->charges[i].once, (int)i + 1, sizeof d->charges[i].once);
	}
}

static void after_books(void *context, const struct trial *trial)
{
	struct desk *d = context;
	struct spent *spent;
	bool made;
	look(d, trial);
	cr_assert_eq(spent_open(d->folder.fd, &spent, &made), SPENT_OK, "%s (%s)", trial->what,
		     trial->page->name);
	for (unsigned i = 0; i < d->seen->dry; i++)
		cr_assert_not_null(spent_once(spent, &d->charges[i].once),
				   "%s (%s): charge %u of %lu is lost", trial->what, trial->page->name, i,
				   (unsigned long)d->seen->dry);
	spent_free(&spent);
	folder_remove(&d->folder);
}

Test(wallet, charged)
{
	static const struct work work = {"books", DIES | NTH_WRITE | NTH_PIPE, before_books, body_books,
					 after_books};
	cr_expect_gt(try_all(&work, &desk), 5U);
}
