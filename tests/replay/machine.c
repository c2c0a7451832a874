/* The trial of a machine's own files: the real warrend creates a machine, adds two nodes, and removes the first. A power cut must
 * then leave a machine that is whole or that `create` makes, nodes that are declared only with all that they need, and the keys of
 * every wallet whose address was told. What the nodes' own processes write is theirs (store.c, books.c): here their folders count.
 * warrend runs as nobody when this program is root's, so that no uids are claimed for a machine that is thrown away. */
#include "tests/replay/trial.h"

#include <dirent.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PHASES = 4, NOBODY = 65534 };

enum said { ASKED, TOLD };
struct mark {
	uint32_t said, phase;
};

/* -- the work -------------------------------------------------------------------------------------------------------- */

/* The programs come with the machine: no part of the trial, so past the recorder. */
static bool copy_program(int from, int to, const char *name)
{
	struct stat stat;
	int in = openat(from, name, O_RDONLY | O_CLOEXEC);
	int out = (int)syscall(SYS_openat, to, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0755);
	bool copied = in >= 0 && out >= 0 && fstat(in, &stat) == 0;
	for (off_t left = copied ? stat.st_size : 0; copied && left > 0;) {
		ssize_t sent = sendfile(out, in, NULL, (size_t)left);
		copied = sent > 0;
		left -= sent;
	}
	close(in);
	close(out);
	return copied;
}

static bool install(const char *root)
{
	char self[PATH_MAX] = "", bin[PATH_MAX];
	if (readlink("/proc/self/exe", self, sizeof self - 1) < 0)
		return false;
	int from = open(dirname(dirname(self)), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	snprintf(bin, sizeof bin, "%s/bin", root);
	syscall(SYS_mkdirat, AT_FDCWD, bin, 0755);
	int to = open(bin, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *entries = from < 0 ? NULL : fdopendir(from);
	bool fine = entries && to >= 0;
	for (const struct dirent *entry; fine && (entry = readdir(entries));)
		if (strncmp(entry->d_name, "warren", 6) == 0 && entry->d_type == DT_REG)
			fine = copy_program(from, to, entry->d_name);
	if (entries)
		closedir(entries);
	close(to);
	return fine;
}

/* Nobody must come in. */
static bool hand_over(const char *root)
{
	char above[PATH_MAX], log[PATH_MAX];
	snprintf(above, sizeof above, "%s", root);
	snprintf(log, sizeof log, "%s/log", dirname(above));
	return geteuid() != 0 ||
	       (chmod(above, 0711) == 0 && chmod(log, 0600) == 0 && chown(log, NOBODY, NOBODY) == 0 &&
		chmod(root, 0755) == 0 && chown(root, NOBODY, NOBODY) == 0);
}

static bool warrend(const char *root, const char *const *words)
{
	char program[PATH_MAX];
	const char *arguments[16] = {"warrend", "--root", root};
	size_t count = 3;
	int status;
	while (*words && count < 15)
		arguments[count++] = *words++;
	snprintf(program, sizeof program, "%s/bin/warrend", root);
	pid_t child = fork();
	if (child == 0) {
		int nothing = open("/dev/null", O_WRONLY);
		dup2(nothing, STDOUT_FILENO);
		if (geteuid() == 0 &&
		    (setresgid(NOBODY, NOBODY, NOBODY) != 0 || setresuid(NOBODY, NOBODY, NOBODY) != 0))
			_exit(126);
		execv(program, (char *const *)(uintptr_t)arguments);
		_exit(127);
	}
	return waitpid(child, &status, 0) == child && status == 0;
}

/* One that nobody has at this moment. */
static unsigned free_port(void)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t length = sizeof at;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || bind(fd, (struct sockaddr *)&at, length) != 0 ||
	    getsockname(fd, (struct sockaddr *)&at, &length) != 0)
		return 0;
	close(fd);
	return ntohs(at.sin_port);
}

static int live(const char *folder, unsigned phase, uint64_t seed)
{
	(void)seed;
	char port[8];
	const char *const words[PHASES][9] = {{"create", "--name", "replay"},
					      {"add", "--tier", "bronze", "--storage", "8", "--port", port},
					      {"add", "--tier", "bronze", "--storage", "8", "--port", port},
					      {"remove", "--node", "1", "--yes"}};
	snprintf(port, sizeof port, "%u", free_port());
	if (phase == 0 && (!install(folder) || !hand_over(folder)))
		return 1;
	trial_mark(&(struct mark){ASKED, phase}, sizeof(struct mark));
	if (!warrend(folder, words[phase]))
		return 1;
	trial_mark(&(struct mark){TOLD, phase}, sizeof(struct mark));
	return 0;
}

/* -- what must hold afterwards --------------------------------------------------------------------------------------- */

static bool there(const char *root, const char *name)
{
	char path[PATH_MAX];
	snprintf(path, sizeof path, "%s/%s", root, name);
	return access(path, F_OK) == 0;
}

/* A text file that begins and ends so: it is all there. */
static bool whole(const char *root, const char *name, const char *begin, const char *end)
{
	char path[PATH_MAX], text[1024];
	snprintf(path, sizeof path, "%s/%s", root, name);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t got = fd < 0 ? 0 : read(fd, text, sizeof text - 1);
	if (fd >= 0)
		close(fd);
	text[got > 0 ? got : 0] = '\0';
	size_t length = strlen(text), last = strlen(end);
	return strstr(text, begin) && length >= last && strcmp(text + length - last, end) == 0;
}

static bool unlock_is_whole(const char *root)
{
	char path[PATH_MAX];
	struct stat stat;
	snprintf(path, sizeof path, "%s/machine/unlock", root);
	return lstat(path, &stat) == 0 && stat.st_size == 32;
}

/* The folder below `archive` with the keys of node 1, or NULL. */
static const char *archived(const char *root, char name[300])
{
	char path[PATH_MAX];
	snprintf(path, sizeof path, "%s/archive", root);
	DIR *entries = opendir(path);
	const char *found = NULL;
	for (const struct dirent *entry; entries && !found && (entry = readdir(entries));) {
		snprintf(name, 300, "archive/%s/keys", entry->d_name);
		if (entry->d_name[0] != '.' && there(root, name)) {
			snprintf(name, 300, "archive/%s", entry->d_name);
			found = name;
		}
	}
	if (entries)
		closedir(entries);
	return found;
}

static const char *bad_node(const char *root, unsigned node, bool asked, bool told, bool may_be_gone)
{
	char conf[32], keys[32], storage[32], logs[32];
	snprintf(conf, sizeof conf, "etc/node%u.conf", node);
	snprintf(keys, sizeof keys, "node%u/keys", node);
	snprintf(storage, sizeof storage, "node%u/storage", node);
	snprintf(logs, sizeof logs, "logs/node%u", node);
	bool declared = there(root, conf);
	if (declared && !asked)
		return "a node that nobody asked for";
	if (declared && !whole(root, conf, "\nversion = ", "\";\n"))
		return "half a configuration of a node";
	if (declared && (!there(root, keys) || !there(root, storage) || !there(root, logs)))
		return "a node is declared, and not all of it is there";
	if (told && !declared && !may_be_gone)
		return "a node that was told to be there is not declared";
	char name[300];
	if (told && !there(root, keys) && !(may_be_gone && archived(root, name)))
		return "the keys of a wallet whose address was told are gone";
	return NULL;
}

static const char *bad_archive(const char *root)
{
	char name[300], conf[320];
	if (there(root, "etc/node1.conf"))
		return "the node that was told to be removed is declared";
	if (!archived(root, name))
		return "the keys of the removed node are not in the archive";
	snprintf(conf, sizeof conf, "%s/node1.conf", name);
	return whole(root, conf, "\nversion = ", "\";\n")
		       ? NULL
		       : "the configuration of the removed node is not in the archive";
}

static enum verdict check(const struct orders *orders, size_t at, const char *root, char why[TRIAL_WHY])
{
	bool said[2][PHASES] = {{false}};
	for (size_t i = 0; i < at; i++) {
		struct mark mark;
		const void *bytes = orders_mark(orders, i, sizeof mark);
		if (!bytes)
			continue;
		memcpy(&mark, bytes, sizeof mark);
		said[mark.said][mark.phase] = true;
	}
	const char *bad = NULL;
	bool made = there(root, "etc/warren.conf");
	if (said[TOLD][0] && !made)
		bad = "the machine that was told to be made is not";
	else if (made && !whole(root, "etc/warren.conf", "\nversion = ", "\";\n"))
		bad = "half a configuration of the machine";
	else if (made && !unlock_is_whole(root))
		bad = "a machine without its unlock secret, which `create` takes for whole";
	for (unsigned node = 1; !bad && node <= 2; node++)
		bad = bad_node(root, node, said[ASKED][node], said[TOLD][node], node == 1 && said[ASKED][3]);
	if (!bad && said[TOLD][3])
		bad = bad_archive(root);
	snprintf(why, TRIAL_WHY, "%s", bad ? bad : "");
	return bad ? LOST : KEPT;
}

static void prepare(void)
{
}

const struct trial trial_machine = {"machine", PHASES, "bin", prepare, live, check};
