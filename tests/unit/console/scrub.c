/* What a bundle takes out of texts, and the archive that it writes. */
#include "actors/console/scrub.h"
#include "actors/console/tar.h"

#include "actors/base/memory/memory.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

static const char *config(const char *text, bool policy)
{
	static char out[2000];
	struct secrets secrets = {0};
	size_t length = strlen(text);
	char *scrubbed = scrub_config(text, &length, policy, &secrets);
	cr_assert_eq(length, strlen(scrubbed));
	snprintf(out, sizeof out, "%s", scrubbed);
	x_free(&scrubbed);
	secrets_end(&secrets);
	return out;
}

Test(scrub, what_is_known_to_be_harmless_stays)
{
	const char *plain =
		"name = \"cassia\";\nport = 5001;\nquota_mb : 0x40\nshards = \"0-255,\" \"512\";\n";
	cr_expect_str_eq(config(plain, false), plain);
	cr_expect_str_eq(config("rules = ( { name = \"pay it\"; chain = 1370L; free = true; } );", true),
			 "rules = ( { name = \"pay it\"; chain = 1370L; free = true; } );");
}

Test(scrub, the_values_of_secret_words_go_however_they_are_written)
{
	static const char *const written[] = {
		"alert_webhook = \"https://x/hunter2\";",
		"alert_webhook=\"https://x/\"  \"hunter2\";",
		"alert_webhook\n=\n\"a\\\"hunter2\"\n# so\n\"hunter2\"",
		"alert_webhook : /* x */ \"hunter2",
		"alert_webhook = hunter2;",
		"alert_webhook = 'hunter2';",
		"alert_webhook = [ \"hunter2\", \"hunter2\" ];",
		"alert_webhok = \"hunter2\";", /* a word that nobody knows */
		"hunter2",
		"port = hunter2;",
		"# alert_webhook = \"hunter2\"",
		"port = 1; // hunter2",
		"/* hunter2\n hunter2 */ port = 1;",
		"/* hunter2",
		"@include \"hunter2\"",
	};
	for (size_t i = 0; i < sizeof written / sizeof *written; i++)
		cr_expect(!strstr(config(written[i], false), "hunter2"), "%s", written[i]);
	cr_expect_str_eq(config("alert_webhook = \"hunter2\";\nport = 7;", false),
			 "alert_webhook = \"(removed)\";\nport = 7;");
	cr_expect_str_eq(config("port = 5; # why\nname = \"a # b\";", false),
			 "port = 5; # (a comment was removed)\nname = \"a # b\";");
}

Test(scrub, a_file_of_any_bytes_ends)
{
	char bytes[256], *scrubbed;
	for (unsigned seed = 1; seed < 2000; seed++) {
		struct secrets secrets = {0};
		size_t length = seed % sizeof bytes;
		for (size_t i = 0; i < length; i++)
			bytes[i] = "\"\\/#*=:; \n\0a1\xff"[(seed * 2654435761U >> (i % 13)) * (i + 7) % 14];
		char *exact = x_new(length + 1);
		memcpy(exact, bytes, length);
		scrubbed = scrub_config(exact, &length, seed % 2, &secrets);
		x_free(&exact);
		cr_expect_eq(scrubbed[length], '\0');
		scrubbed = scrub_text(scrubbed, &length, &secrets);
		x_free(&scrubbed);
		secrets_end(&secrets);
	}
}

static const char *text(const char *from, const char *secret)
{
	static char out[2000];
	char copy[100];
	struct secrets secrets = {0};
	size_t length = strlen(from);
	if (secret) {
		snprintf(copy, sizeof copy, "%s", secret);
		secrets = (struct secrets){.text = {copy}, .count = 1};
	}
	char *scrubbed = scrub_text(x_copy(from), &length, &secrets);
	snprintf(out, sizeof out, "%.*s", (int)length, scrubbed);
	x_free(&scrubbed);
	return out;
}

Test(scrub, of_urls_the_host_stays)
{
	cr_expect_str_eq(text("why=\"https://u:p@h.example:8/v3/KEY?k=1#x\" n=1", NULL),
			 "why=\"https://h.example:8/(removed)\" n=1");
	cr_expect_str_eq(text("at http://h and https://h/ and wss://h?x", NULL),
			 "at http://h and https://h and wss://h/(removed)");
	cr_expect_str_eq(text("://x/y a:b // c", NULL), "://x/y a:b // c");
	cr_expect_str_eq(text("https://a@b@h/x https://", NULL), "https://h/(removed) https://");
	cr_expect_str_eq(text("one S3CRETS3CRET two S3CRETS3CRET", "S3CRETS3CRET"),
			 "one (removed) two (removed)");
}

Test(tar, each_file_is_a_header_its_bytes_and_zeros)
{
	char path[] = "/tmp/warren-tar-XXXXXX";
	static char out[8192];
	int fd = mkstemp(path);
	struct tar *tar = tar_begin(fd);
	cr_expect(tar_add(tar, "a/b.txt", "hello\n", 6, 1000000000));
	cr_expect(tar_add(tar, "empty", NULL, 0, 0));
	cr_expect_eq(tar_end(&tar), 0);
	gzFile in = gzopen(path, "rb");
	cr_expect_eq(gzread(in, out, sizeof out), 512 + 512 + 512 + TAR_END);
	gzclose(in);
	cr_expect_str_eq(out, "a/b.txt");
	cr_expect_str_eq(out + 100, "0000600");
	cr_expect_str_eq(out + 124, "00000000006");
	cr_expect_arr_eq(out + 257, "ustar\00000", 8);
	cr_expect_str_eq(out + 512, "hello\n");
	unsigned sum = 8 * ' ';
	for (int i = 0; i < 512; i++)
		sum += i >= 148 && i < 156 ? 0 : (unsigned char)out[i];
	cr_expect_eq(strtoul(out + 148, NULL, 8), sum);
	close(fd);
	unlink(path);
}

Test(tar, a_full_disk_is_told)
{
	int fd = open("/dev/full", O_WRONLY);
	static char much[100000];
	struct tar *tar = tar_begin(fd);
	tar_add(tar, "x", much, sizeof much, 0);
	cr_expect_eq(tar_end(&tar), ENOSPC);
	close(fd);
}
