/* The check of an ask. The steward checked it too, by the bus's rights; it parses bytes of people, so its
 * word is not enough. Pure: no I/O, no state. */
#include "supervisor/control_check.h"

const char *control_verb_name(unsigned verb)
{
	static const char *const names[] = {"?",      "status",  "start", "stop",   "restart",
					    "drain",  "reload",  "info",  "verify", "allocate",
					    "drains", "reasons", "limits"};
	return verb < CONTROL_VERBS ? names[verb] : "?";
}

static enum err answer(enum err err, struct why *why, const char *sentence)
{
	refuse(why, "%s", sentence);
	return err;
}

bool control_changes(unsigned verb)
{
	return verb >= CONTROL_START && verb <= CONTROL_RELOAD;
}

static bool well_formed(const struct control_ask *ask, size_t length)
{
	if (length != sizeof *ask || ask->verb < CONTROL_STATUS || ask->verb >= CONTROL_VERBS)
		return false;
	if (ask->authority != READER && ask->authority != OPERATOR)
		return false;
	if (ask->padding[0] || ask->padding[1] || ask->padding[2])
		return false;
	if (ask->amount && ask->verb != CONTROL_DRAIN && ask->verb != CONTROL_ALLOCATE)
		return false;
	if (ask->verb == CONTROL_VERIFY)
		return !ask->kind;
	bool targeted = control_changes(ask->verb) && ask->verb != CONTROL_RELOAD;
	return targeted || (!ask->kind && !ask->node);
}

static enum err check_target(const struct control_ask *ask, const bool *declared, struct why *why)
{
	const struct actor_row *row = actor_row(ask->kind);
	if (ask->kind && !row)
		return answer(ERR_NOT_FOUND, why, "there is no such kind of process");
	if (row && row->scope == PER_MACHINE) {
		if (ask->node)
			return answer(ERR_NOT_FOUND, why,
				      "a machine has one of these, which belongs to no node");
		if (ask->verb != CONTROL_RESTART)
			return answer(ERR_REFUSED, why,
				      "every node needs it: it can be restarted, and ends with the machine");
		return ERR_OK;
	}
	if (!ask->node || ask->node > NODES_MAX || !declared[ask->node])
		return answer(ERR_NOT_FOUND, why, "no such node is declared; warren status lists them");
	if (row && ask->verb == CONTROL_DRAIN)
		return answer(ERR_REFUSED, why, "a node drains as a whole: warren drain with its number");
	return ERR_OK;
}

enum err control_check(const struct control_ask *ask, size_t length, const bool *declared, struct why *why)
{
	if (!well_formed(ask, length))
		return answer(ERR_MALFORMED, why, "not an ask");
	if (ask->verb == CONTROL_VERIFY && ask->node)
		return check_target(ask, declared, why);
	if (!control_changes(ask->verb))
		return ERR_OK;
	if (ask->authority != OPERATOR)
		return answer(ERR_DENIED, why, "only operators may change anything; you came in as a reader");
	return ask->verb == CONTROL_RELOAD ? ERR_OK : check_target(ask, declared, why);
}
