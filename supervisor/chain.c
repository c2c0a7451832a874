/* The chain of the machine as its configuration was read: told to whoever asks for it, and to those whose row says so. Part of the
 * supervisor; writes ROOT/run/chain. */
#include "supervisor/supervisor.h"

#include "actors/base/log/log.h"
#include "supervisor/make.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

/* For `warren chain`, which needs no process for it. */
void chain_publish(const struct supervisor *s)
{
	struct chain_profile published;
	char line[CHAIN_TEXT + 1];
	chain_profile_publish(&s->config->chain, &published);
	size_t length = chain_profile_print(&published, line);
	memcpy(line + length, "\n", 2);
	bool told = length ? write_whole(s->machine.run, CHAIN_FILE, 0644, line)
			   : unlinkat(s->machine.run, CHAIN_FILE, 0) == 0 || errno == ENOENT;
	if (!told)
		log_warn("chain.file", "errno=%m");
}

/* Who is told of the chain is told when it is born: so a changed one is a new birth. */
void chain_apply(struct supervisor *s, const struct config *old)
{
	char now[CHAIN_TEXT] = "", was[CHAIN_TEXT] = "";
	chain_profile_print(&s->config->chain, now);
	chain_profile_print(&old->chain, was);
	if (strcmp(now, was) == 0)
		return;
	log_info("chain.changed", "profile=%s", *now ? s->config->chain.name : "none");
	for (unsigned i = 0; i < s->count; i++) {
		const struct process *process = s->processes[i];
		bool concerned = process->row->opens & FD_BINDS ? s->config->anvil_port != old->anvil_port
								: row_is_told(process->row, "chain_profile");
		if (process->pid && process->declared && concerned)
			family_restart(s, process->row->kind, process->node);
	}
}
