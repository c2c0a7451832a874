/* The scratch machine: two small nodes in SELFTEST_ROOT, its programs copied, probers among them. Part of the selftest; starts and
 * stops nothing but what it made. */
#include "actors/prober/selftest.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { NODES = 2, STORAGE_MB = 16, START_S = 60, STOP_S = 15 };

static int remove_one(const char *path, const struct stat *info, int type, struct FTW *walk)
{
	(void)info, (void)type, (void)walk;
	return remove(path);
}

void scratch_remove(void)
{
	nftw(SELFTEST_ROOT, remove_one, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
}

static void rest(long ms)
{
	nanosleep(&(struct timespec){ms / 1000, ms % 1000 * 1000000}, NULL);
}

/* Unreadable to whoever runs it, unless that wall is to be down. */
static mode_t program_mode(const struct selftest *self)
{
	if (self->without & 1U << WALL_DUMPABLE)
		return 0755;
	return self->user ? 0111 : 0711;
}

static bool copy_program(const struct selftest *self, const char *from, const char *to)
{
	char source[512], target[512];
	struct stat info;
	snprintf(source, sizeof source, "%s/%s", self->bin, from);
	snprintf(target, sizeof target, SELFTEST_ROOT "/bin/%s", to);
	int in = open(source, O_RDONLY | O_CLOEXEC);
	if (in < 0 || fstat(in, &info) != 0) {
		printf("bad   %s cannot be read: %s\n", source, strerror(errno));
		return false;
	}
	unlink(target); /* a running program cannot be written to; its name can be given to another */
	int out = open(target, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0711);
	off_t left = info.st_size;
	while (out >= 0 && left > 0) {
		ssize_t sent = sendfile(out, in, NULL, (size_t)left);
		if (sent <= 0)
			break;
		left -= sent;
	}
	bool owned = out >= 0 && (!self->user || fchown(out, SELFTEST_USER, SELFTEST_USER) == 0) &&
		     fchmod(out, program_mode(self)) == 0;
	close(in);
	if (out >= 0)
		close(out);
	return owned && left == 0;
}

/* Should memory run out all the same, who eats it in here is the first to go, and no process of the host. */
static void go_first(void)
{
	int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	(void)!write(fd, "1000", 4);
	close(fd);
}

/* Starts a program; its output goes to `out` (or nowhere, -1). It ends when we do. */
pid_t scratch_run_program(const struct selftest *self, int out, const char *const *argv)
{
	pid_t child = fork();
	if (child != 0)
		return child;
	int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
	dup2(nothing, 0);
	dup2(out < 0 ? nothing : out, 1);
	dup2(nothing, 2);
	go_first();
	if (self && self->user &&
	    (setgroups(0, NULL) != 0 || setresgid(SELFTEST_USER, SELFTEST_USER, SELFTEST_USER) != 0 ||
	     setresuid(SELFTEST_USER, SELFTEST_USER, SELFTEST_USER) != 0))
		_exit(127);
	prctl(PR_SET_PDEATHSIG, SIGINT);
	execv(argv[0], (char *const *)argv);
	_exit(127);
}

static bool runs(const struct selftest *self, const char *const *argv)
{
	int status;
	pid_t child = scratch_run_program(self, -1, argv);
	return child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status) &&
	       WEXITSTATUS(status) == 0;
}

static int free_port(void)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	socklen_t length = sizeof address;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), port = -1;
	if (fd >= 0 && bind(fd, (struct sockaddr *)&address, length) == 0 &&
	    getsockname(fd, (struct sockaddr *)&address, &length) == 0)
		port = ntohs(address.sin_port);
	if (fd >= 0)
		close(fd);
	return port;
}

static bool make_folder(const struct selftest *self, const char *path)
{
	return mkdir(path, 0755) == 0 && chmod(path, 0755) == 0 &&
	       (!self->user || chown(path, SELFTEST_USER, SELFTEST_USER) == 0);
}

/* Every program, and of the kinds of this phase the prober in its place. */
static bool copy_all(const struct selftest *self, enum phase phase)
{
	bool copied = copy_program(self, "warrend", "warrend");
	for (unsigned kind = 1; copied && kind < KINDS; kind++) {
		char name[64];
		if (!actor_row(kind))
			continue;
		snprintf(name, sizeof name, "warren-%s", actor_row(kind)->name);
		bool ours = kind_is_probed(kind) && in_phase(phase, kind);
		copied = copy_program(self, ours ? "warren-prober" : name, name);
	}
	return copied;
}

static bool add_node(const struct selftest *self)
{
	char port[16], storage[16];
	snprintf(port, sizeof port, "%d", free_port());
	snprintf(storage, sizeof storage, "%d", STORAGE_MB);
	return runs(self, (const char *[]){SELFTEST_ROOT "/bin/warrend", "--root", SELFTEST_ROOT, "add",
					   "--tier", "bronze", "--storage", storage, "--port", port, NULL});
}

/* Every kind there is: also those that only a setting brings (nobody listens where they would dial). And the walls that are to be
 * down. */
static bool configure(const struct selftest *self)
{
	FILE *file = fopen(SELFTEST_ROOT "/etc/warren.conf", "ae");
	if (!file)
		return false;
	fprintf(file, "alert_webhook = \"http://127.0.0.1:9/\";\nmetrics_port = %d;\n", free_port());
	const char *comma = "without = \"";
	for (unsigned wall = 0; wall < WALLS; wall++) {
		if (wall == WALL_UID || !(self->without & 1U << wall))
			continue;
		fprintf(file, "%s%s", comma, wall_row(wall)->name);
		comma = ", ";
	}
	if (*comma == ',')
		fputs("\";\n", file);
	bool written = fclose(file) == 0;
	FILE *chain = written ? fopen(SELFTEST_ROOT "/etc/chain-probe.conf", "we") : NULL;
	FILE *choice = chain ? fopen(SELFTEST_ROOT "/etc/chain.conf", "we") : NULL;
	written = choice && fputs("profile = \"probe\";\n", choice) >= 0 &&
		  fputs("id = 1370;\nrpc = [\"http://127.0.0.1:9/\"];\n", chain) >= 0;
	written = chain && fclose(chain) == 0 && written;
	return choice && fclose(choice) == 0 && written;
}

bool scratch_build(struct selftest *self)
{
	scratch_remove();
	if (!make_folder(self, SELFTEST_ROOT) || !make_folder(self, SELFTEST_ROOT "/bin") ||
	    !make_folder(self, SELFTEST_ROOT "/" SELFTEST_OUTSIDE)) {
		printf("bad   " SELFTEST_ROOT " cannot be made: %s\n", strerror(errno));
		return false;
	}
	bool made = copy_all(self, PHASES) &&
		    runs(self, (const char *[]){SELFTEST_ROOT "/bin/warrend", "--root", SELFTEST_ROOT,
						"create", "--name", "selftest", NULL}) &&
		    configure(self);
	for (int node = 0; made && node < NODES; node++)
		made = add_node(self);
	if (!made)
		printf("bad   the scratch machine could not be made; try: warrend --root " SELFTEST_ROOT
		       " create\n");
	return made;
}

/* -- running it ------------------------------------------------------------------------------------------------ */

static size_t children_wanted(void)
{
	size_t wanted = 0;
	for (unsigned kind = 1; kind < KINDS; kind++)
		if (kind_is_probed(kind))
			wanted += actor_row(kind)->scope == PER_NODE ? NODES : 1;
	return wanted;
}

/* A child has begun when it has taken its own name. */
static bool has_begun(pid_t pid)
{
	char path[64], name[32] = "";
	snprintf(path, sizeof path, "/proc/%d/comm", pid);
	FILE *file = fopen(path, "re");
	if (file) {
		(void)!fscanf(file, "%31s", name);
		fclose(file);
	}
	char *at = strchr(name, '@');
	if (at)
		*at = '\0';
	return kind_by_name(name, (unsigned)strlen(name)) != KIND_NONE;
}

static bool all_there(struct selftest *self)
{
	char path[64];
	size_t begun = 0;
	int pid;
	self->child_count = 0;
	snprintf(path, sizeof path, "/proc/%d/task/%d/children", self->supervisor, self->supervisor);
	FILE *list = fopen(path, "re");
	while (list && self->child_count < CHILDREN_MOST && fscanf(list, "%d", &pid) == 1) {
		self->children[self->child_count++] = pid;
		begun += has_begun(pid);
	}
	if (list)
		fclose(list);
	return begun >= children_wanted();
}

bool scratch_start(struct selftest *self, enum phase phase)
{
	unlink(SELFTEST_ROOT "/run/selftest");
	if (!copy_all(self, phase))
		return false;
	self->supervisor = scratch_run_program(
		self, -1,
		(const char *[]){SELFTEST_ROOT "/bin/warrend", "--root", SELFTEST_ROOT, "run", NULL});
	for (int turn = 0; self->supervisor > 0 && turn < START_S * 100; turn++) {
		if (all_there(self))
			return true;
		if (waitpid(self->supervisor, NULL, WNOHANG) == self->supervisor)
			self->supervisor = -1;
		rest(10);
	}
	printf("bad   the scratch machine does not start: %zu of %zu processes are there\n",
	       self->child_count, children_wanted());
	return false;
}

/* SIGINT ends without a drain. */
void scratch_stop(struct selftest *self)
{
	pid_t supervisor = self->supervisor;
	self->supervisor = -1;
	if (supervisor <= 0)
		return;
	kill(supervisor, SIGINT);
	for (int turn = 0; turn < STOP_S * 100; turn++) {
		if (waitpid(supervisor, NULL, WNOHANG) == supervisor)
			return;
		rest(10);
	}
	kill(supervisor, SIGKILL);
	waitpid(supervisor, NULL, 0);
}
