/* Starts anvil, in the jail of the keeper and one wall more (seal_foreign). Plain C, in the keeper.
 * Without --state and --state-interval: what they write can be cut in the middle. No block without us (--no-mining), in the order of
 * coming (--order fifo), so that a block made again is the same. */
#include "actors/anvil/program.h"

#include "actors/base/seal/seal.h"

#include "actors/anvil/state.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { TEXT = 160, ARGUMENTS = 24 };

static _Noreturn void become(const struct program *program, pid_t keeper)
{
	char port[8], chain[24], state[TEXT], socket[TEXT], home[TEXT];
	sigset_t none;
	snprintf(port, sizeof port, "%u", program->port);
	snprintf(chain, sizeof chain, "%" PRIu64, program->chain);
	snprintf(state, sizeof state, "%s/" STATE_FILE, program->folder);
	snprintf(socket, sizeof socket, "%s/" PROGRAM_SOCKET, program->folder);
	snprintf(home, sizeof home, "HOME=%s", program->folder);
	const char *arguments[ARGUMENTS] = {"anvil",
					    "--host",
					    program->host,
					    "--port",
					    port,
					    "--chain-id",
					    chain,
					    "--hardfork",
					    "cancun",
					    "--silent",
					    "--no-mining",
					    "--order",
					    "fifo",
					    "--threads",
					    "2",
					    "--no-cors",
					    "--ipc",
					    socket,
					    "--max-persisted-states",
					    "0"};
	if (program->state) {
		arguments[20] = "--load-state";
		arguments[21] = state;
	}
	char *environment[] = {home, (char[]){"LANG=C.UTF-8"}, (char[]){"TOKIO_WORKER_THREADS=2"},
			       (char[]){"RAYON_NUM_THREADS=2"}, NULL};
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != keeper ||
	    fcntl(program->fd, F_SETFD, FD_CLOEXEC) != 0 ||
	    seal_foreign(program->fd, program->pretend) == SEAL_FAILED)
		_exit(126);
	execveat(program->fd, "", (char **)arguments, environment, AT_EMPTY_PATH);
	_exit(127);
}

pid_t program_start(const struct program *program)
{
	pid_t keeper = getpid(), pid = fork();
	if (pid == 0)
		become(program, keeper);
	return pid;
}

bool program_ended(pid_t pid, int *how)
{
	siginfo_t end = {0};
	if (waitid(P_PID, (id_t)pid, &end, WEXITED | WNOHANG) != 0 || end.si_pid == 0)
		return false;
	*how = end.si_code == CLD_EXITED ? end.si_status : -end.si_status;
	return true;
}

void program_end(pid_t *pid)
{
	if (*pid <= 0)
		return;
	kill(*pid, SIGKILL);
	while (waitpid(*pid, NULL, 0) < 0 && errno == EINTR)
		;
	*pid = 0;
}
