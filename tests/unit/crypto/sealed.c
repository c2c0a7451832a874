/* After crypto_warm() everything works in a process that may open nothing: the seal of an actor. The filter
 * kills at the first call that is not about memory or about ending, so a file that a library reads late is a
 * dead child. */
#include "tests/unit/crypto/vectors.h"

#include "actors/base/crypto/crypto.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define ALLOW(name) \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_##name, 0, 1), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)

static bool close_seal(void)
{
	struct sock_filter rules[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		ALLOW(brk),
		ALLOW(mmap),
		ALLOW(munmap),
		ALLOW(mremap),
		ALLOW(madvise),
		ALLOW(futex),
		ALLOW(getrandom),
		ALLOW(sigaltstack), /* a sanitizer, on the way out */
		ALLOW(write),
		ALLOW(exit_group),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
	};
	struct sock_fprog program = {sizeof rules / sizeof *rules, rules};
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
	       prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

static bool all_work(void)
{
	uint8_t out[64];
	struct sha256 *digest = sha256_begin();
	sha256_add(digest, "abc", 3);
	sha256_end(&digest, out);
	sha256("abc", 3, out);
	keccak256("abc", 3, out);
	hmac_sha256(out, "abc", 3, out);
	hkdf_sha256(out, 32, "salt", 4, "info", 4, out, sizeof out);
	random_bytes(out, sizeof out);

	struct sealer *sealer = sealer_new(out);
	uint8_t sealed[8 + SEAL_TAG], opened[8];
	seal(sealer, out, "about", 5, out, 8, sealed);
	bool works = unseal(sealer, out, "about", 5, sealed, 8, opened) && same_bytes(opened, out, 8);
	sealed[0] ^= 1;
	works = works && !unseal(sealer, out, "about", 5, sealed, 8, opened);
	sealer_free(&sealer);

	char text[PEER_ID_TEXT];
	struct cid cid = {{1}};
	address_text((struct address *)out, text);
	peer_id_text((struct key *)out, text);
	return works && cid_shard(&cid, 1024) < 1024;
}

/* How a child ends that runs `work` behind the seal. */
static int behind_the_seal(bool (*work)(void))
{
	pid_t child = fork();
	if (child == 0) {
		crypto_warm();
		_exit(close_seal() ? work() ? 0 : 1 : 2);
	}
	int status = -1;
	cr_assert_eq(waitpid(child, &status, 0), child);
	return status;
}

static bool opens_a_file(void)
{
	return syscall(SYS_openat, 0, "/", 0) < 0;
}

Test(sealed, all_works_after_warming)
{
	int status = behind_the_seal(all_work);
	cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == 0, "status %x", (unsigned)status);
}

/* The control: this seal does kill. */
Test(sealed, the_seal_kills)
{
	int status = behind_the_seal(opens_a_file);
	cr_expect(WIFSIGNALED(status), "status %x", (unsigned)status);
}
