/* What libcurl and OpenSSL read when they start. */
#include "actors/herald/post.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* OPENSSL_CONF names a FIFO: a library that opens its configuration waits there until the alarm. */
Test(post, reads_no_configuration)
{
	char path[] = "/tmp/warren-fifo-XXXXXX";
	int fd = mkstemp(path);
	cr_assert_geq(fd, 0);
	close(fd);
	cr_assert_eq(unlink(path), 0);
	cr_assert_eq(mkfifo(path, 0600), 0);
	pid_t child = fork();
	if (child == 0) {
		const struct post_config config = {.url = "https://127.0.0.1:1/", .authorities = ""};
		setenv("OPENSSL_CONF", path, 1);
		alarm(5);
		_exit(post_libraries() && post_new(&config, NULL, NULL) ? 0 : 1);
	}
	int status = -1;
	cr_expect_eq(waitpid(child, &status, 0), child);
	cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == 0, "status %x", (unsigned)status);
	unlink(path);
}
