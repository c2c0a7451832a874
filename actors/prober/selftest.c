/* warren-selftest: builds a scratch machine of two small nodes, lets the real supervisor start the prober in
 * the place of each kind of process in turn, and reads what got through. Nothing may. Then the control: the
 * same attempts by root from outside must get through. Run as root by `warren selftest isolation`, by hand,
 * or by the tests; it touches SELFTEST_ROOT only, stops only what it started, and removes what it made. Exit
 * 0: every wall held. */
#include "actors/prober/bus_attacks.h"
#include "proto/actors.h"
#include "proto/version.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { NODES = 2, STORAGE_MB = 16, PROBE_S = 60, STOP_S = 15, CONTROLS_KEPT = 64 };

struct selftest {
	char bin[256];                  /* where the programs are */
	unsigned through, denied, held; /* attempts; kinds that held */
	bool verbose;
};

/* -- small steps
 * ----------------------------------------------------------------------------------------------------- */

static int remove_one(const char *path, const struct stat *info, int type, struct FTW *walk)
{
	(void)info, (void)type, (void)walk;
	return remove(path);
}

static void remove_scratch(void)
{
	nftw(SELFTEST_ROOT, remove_one, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
}

static bool copy_program(const char *from_folder, const char *from, const char *to)
{
	char source[512], target[512];
	struct stat info;
	snprintf(source, sizeof source, "%s/%s", from_folder, from);
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
	close(in);
	if (out >= 0)
		close(out);
	return out >= 0 && left == 0 && chmod(target, 0711) == 0;
}

/* Starts a program of the scratch machine; its output goes to `out` (or nowhere, -1). */
static pid_t start(int out, const char *const *argv)
{
	pid_t child = fork();
	if (child != 0)
		return child;
	int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
	dup2(nothing, 0);
	dup2(out < 0 ? nothing : out, 1);
	dup2(nothing, 2);
	execv(argv[0], (char *const *)argv);
	_exit(127);
}

static int run(const char *const *argv)
{
	int status;
	pid_t child = start(-1, argv);
	if (child < 0 || waitpid(child, &status, 0) != child || !WIFEXITED(status))
		return -1;
	return WEXITSTATUS(status);
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

/* -- the scratch machine
 * --------------------------------------------------------------------------------------------- */

static bool copy_all(const struct selftest *self)
{
	if (!copy_program(self->bin, "warrend", "warrend"))
		return false;
	for (unsigned kind = 1; kind < KINDS; kind++) {
		char name[64];
		if (!actor_row(kind))
			continue;
		snprintf(name, sizeof name, "warren-%s", actor_row(kind)->name);
		if (!copy_program(self->bin, name, name))
			return false;
	}
	return true;
}

static bool add_node(void)
{
	char port[16], storage[16];
	snprintf(port, sizeof port, "%d", free_port());
	snprintf(storage, sizeof storage, "%d", STORAGE_MB);
	return run((const char *[]){SELFTEST_ROOT "/bin/warrend", "--root", SELFTEST_ROOT, "add", "--tier",
				    "bronze", "--storage", storage, "--port", port, NULL}) == 0;
}

/* Every kind there is: also the two that only a setting brings. Nobody listens where the one would dial. */
static bool ask_for_all_kinds(void)
{
	FILE *file = fopen(SELFTEST_ROOT "/etc/warren.conf", "ae");
	bool wrote = file && fprintf(file, "alert_webhook = \"http://127.0.0.1:9/\";\nmetrics_port = %d;\n",
				     free_port()) > 0;
	return file && fclose(file) == 0 && wrote;
}

static bool build_machine(const struct selftest *self)
{
	remove_scratch();
	if (mkdir(SELFTEST_ROOT, 0755) != 0 || mkdir(SELFTEST_ROOT "/bin", 0755) != 0) {
		printf("bad   " SELFTEST_ROOT " cannot be made: %s\n", strerror(errno));
		return false;
	}
	if (!copy_all(self))
		return false;
	bool made = run((const char *[]){SELFTEST_ROOT "/bin/warrend", "--root", SELFTEST_ROOT, "create",
					 "--name", "selftest", NULL}) == 0 &&
		    ask_for_all_kinds();
	for (int node = 0; made && node < NODES; node++)
		made = add_node();
	if (!made)
		printf("bad   the scratch machine could not be made; try: warrend --root " SELFTEST_ROOT
		       " create\n");
	return made;
}

static pid_t start_machine(void)
{
	return start(-1,
		     (const char *[]){SELFTEST_ROOT "/bin/warrend", "--root", SELFTEST_ROOT, "run", NULL});
}

static void stop_machine(pid_t supervisor)
{
	kill(supervisor, SIGTERM);
	for (int tenth = 0; tenth < STOP_S * 10; tenth++) {
		if (waitpid(supervisor, NULL, WNOHANG) == supervisor)
			return;
		nanosleep(&(struct timespec){.tv_nsec = 100000000}, NULL);
	}
	kill(supervisor, SIGKILL);
	waitpid(supervisor, NULL, 0);
}

/* -- one kind
 * -------------------------------------------------------------------------------------------------------- */

static void log_path(const struct actor_row *row, char path[256])
{
	if (row->kind == SCRIBE)
		snprintf(path, 256, SELFTEST_ROOT "/logs/" SELFTEST_LOG);
	else if (row->scope == PER_NODE)
		snprintf(path, 256, SELFTEST_ROOT "/logs/node1/%s.log", row->name);
	else
		snprintf(path, 256, SELFTEST_ROOT "/logs/machine/%s.log", row->name);
}

struct findings {
	unsigned attempts, through, forbidden, allowed;
	bool done, welcomed;
};

static void read_line(const struct selftest *self, struct findings *found, const char *who, const char *line)
{
	unsigned row;
	char what[32];
	const char *at = strstr(line, "probe.attempt row="), *name = strstr(line, "name=");
	int welcomed = 0;
	if (at && sscanf(at, "probe.attempt row=%u outcome=%31s", &row, what) == 2) {
		bool through = strcmp(what, "through") == 0 || strcmp(what, "not-tried") == 0;
		found->attempts++;
		found->through += through;
		if (through || self->verbose)
			printf("%s   %-8s row %-2u %-12s %s", through ? "bad" : "ok ", who, row, what,
			       name ? name + 5 : "\n");
	}
	at = strstr(line, "probe.control ");
	if (at && sscanf(at, "probe.control forbidden=%u allowed=%u welcomed=%d", &found->forbidden,
			 &found->allowed, &welcomed) == 3)
		found->welcomed = welcomed;
	found->done |= strstr(line, "probe.done ") != NULL;
}

static struct findings read_findings(const struct selftest *self, const struct actor_row *row, bool print)
{
	struct findings found = {0};
	struct selftest quiet = *self;
	char path[256], line[2048];
	log_path(row, path);
	FILE *log = fopen(path, "re");
	if (!log)
		return found;
	if (!print)
		quiet.verbose = false;
	while (fgets(line, sizeof line, log))
		if (print || !strstr(line, "outcome=through"))
			read_line(&quiet, &found, row->name, line);
	fclose(log);
	return found;
}

static bool probe_kind(struct selftest *self, const struct actor_row *row)
{
	char name[64], path[256];
	snprintf(name, sizeof name, "warren-%s", row->name);
	log_path(row, path);
	if (!copy_program(self->bin, "warren-prober", name))
		return false;
	unlink(path);
	pid_t supervisor = start_machine();
	struct findings found = {0};
	for (int tenth = 0; supervisor > 0 && tenth < PROBE_S * 10 && !found.done; tenth++) {
		nanosleep(&(struct timespec){.tv_nsec = 100000000}, NULL);
		found = read_findings(self, row, false);
	}
	if (supervisor > 0)
		stop_machine(supervisor);
	found = read_findings(self, row, true);
	bool asked = row->kind == BROKER || (found.welcomed && found.forbidden > 0);
	bool held = found.done && found.attempts > 0 && found.through == 0 && asked;
	printf("%s   %-8s %u attempts, %u got through; %u asks that no row allows\n", held ? "ok " : "bad",
	       row->name, found.attempts, found.through, found.forbidden);
	if (!found.done)
		printf("      it did not finish within %d s\n", PROBE_S);
	self->through += found.through;
	self->denied += found.attempts - found.through;
	self->held += held;
	return copy_program(self->bin, name, name) && held;
}

/* -- the control
 * ----------------------------------------------------------------------------------------------------- */

/* The supervisor's children, from outside. */
static size_t children_of(pid_t supervisor, char pids[][16], size_t most)
{
	char path[64];
	size_t count = 0;
	snprintf(path, sizeof path, "/proc/%d/task/%d/children", supervisor, supervisor);
	FILE *list = fopen(path, "re");
	while (list && count < most && fscanf(list, "%15s", pids[count]) == 1)
		count++;
	if (list)
		fclose(list);
	return count;
}

/* A root that lacks the capability, as in some containers, cannot make this attempt succeed; that is said, not counted. */
static bool beyond_this_root(unsigned row, const char *name)
{
	return row == 7 && strncmp(name, "set another's limits", 20) == 0 &&
	       prctl(PR_CAPBSET_READ, CAP_SYS_RESOURCE, 0, 0, 0) != 1;
}

/* Root from outside gets through everywhere. */
static bool control(const struct selftest *self)
{
	char pids[CONTROLS_KEPT][16], line[256], what[32];
	const char *argv[CONTROLS_KEPT + 4] = {NULL, "--control", SELFTEST_ROOT};
	char prober[300];
	unsigned row, tried = 0, failed = 0;
	int pipes[2], name;
	pid_t supervisor = start_machine();
	nanosleep(&(struct timespec){.tv_sec = 2}, NULL);
	size_t count = children_of(supervisor, pids, CONTROLS_KEPT);
	for (size_t i = 0; i < count; i++)
		argv[3 + i] = pids[i];
	snprintf(prober, sizeof prober, "%s/warren-prober", self->bin);
	argv[0] = prober;
	if (pipe2(pipes, O_CLOEXEC) != 0)
		return false;
	pid_t child = start(pipes[1], argv);
	close(pipes[1]);
	FILE *out = fdopen(pipes[0], "r");
	while (out && fgets(line, sizeof line, out)) {
		if (sscanf(line, "%u %31s %n", &row, what, &name) != 2)
			continue;
		tried++;
		if (strcmp(what, "through") == 0)
			continue;
		if (beyond_this_root(row, line + name)) {
			printf("skip  control  row %-2u this root lacks CAP_SYS_RESOURCE: %s", row,
			       line + name);
			continue;
		}
		failed++;
		printf("bad   control  row %-2u %-12s %s", row, what, line + name);
	}
	if (out)
		fclose(out);
	waitpid(child, NULL, 0);
	stop_machine(supervisor);
	printf("%s   control: root from outside, %u attempts on %zu processes, %u did not get through\n",
	       failed || !tried ? "bad" : "ok ", tried, count, failed);
	return tried > 0 && failed == 0;
}

int main(int argc, char **argv)
{
	static struct selftest self;
	if (argc == 2 && strcmp(argv[1], "--version") == 0)
		return puts("warren-selftest " WARREN_VERSION) < 0;
	self.verbose = argc > 1 && strcmp(argv[1], "-v") == 0;
	ssize_t length = readlink("/proc/self/exe", self.bin, sizeof self.bin - 1);
	if (length <= 0 || geteuid() != 0) {
		fprintf(stderr, "selftest needs root: it builds a scratch machine in " SELFTEST_ROOT "\n");
		return 1;
	}
	*strrchr(self.bin, '/') = '\0';
	if (!build_machine(&self))
		return 1;
	bool held = true;
	unsigned kinds = 0;
	for (unsigned kind = 1; kind < KINDS; kind++) {
		if (!actor_row(kind))
			continue;
		kinds++;
		held = probe_kind(&self, actor_row(kind)) && held;
		fflush(stdout);
	}
	held = control(&self) && held;
	remove_scratch();
	printf("%s: %u of %u kinds held; %u attempts denied, %u got through\n",
	       held ? "isolated" : "NOT ISOLATED", self.held, kinds, self.denied, self.through);
	return held ? 0 : 1;
}
