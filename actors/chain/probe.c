/* Looks through the code of a contract for the selectors of its ABI. Pure. */
#include "actors/chain/probe.h"

#include "actors/base/log/log.h"
#include "actors/chain/abi.h"

#include <stdio.h>
#include <string.h>

/* Of the EVM: PUSH1 is followed by one byte, … PUSH32 by 32. */
enum { PUSH1 = 0x60, PUSH4 = 0x63, PUSH32 = 0x7f };

static bool pushes(const uint8_t *code, size_t length, uint32_t selector)
{
	for (size_t at = 0; at < length; at++) {
		unsigned op = code[at], count = op >= PUSH1 && op <= PUSH32 ? op - PUSH1 + 1 : 0;
		uint32_t number = 0;
		if (count > length - at - 1)
			return false;
		for (unsigned i = 1; op <= PUSH4 && i <= count; i++)
			number = number << 8 | code[at + i];
		if (count && op <= PUSH4 && number == selector)
			return true;
		at += count;
	}
	return false;
}

void probe_code(struct probe *probe, const char *contract, const uint8_t *code, size_t length)
{
	const struct abi_method *method;
	*probe = (struct probe){.done = true, .there = length > 0};
	for (unsigned i = 0; (method = abi_method_at(i)); i++) {
		if (strcmp(method->contract, contract) != 0)
			continue;
		bug_if(probe->methods == PROBE_METHODS);
		probe->has[probe->methods++] = pushes(code, length, method->selector);
	}
}

bool probe_has(const struct probe *probe, const struct abi_method *wanted)
{
	const struct abi_method *method;
	unsigned at = 0;
	for (unsigned i = 0; (method = abi_method_at(i)) && at < probe->methods; i++) {
		if (strcmp(method->contract, wanted->contract) != 0)
			continue;
		if (method == wanted)
			return probe->has[at];
		at++;
	}
	return false;
}

unsigned probe_missing(const struct probe *probe, const char *contract, char *text, size_t room)
{
	const struct abi_method *method;
	unsigned at = 0, missing = 0;
	size_t used = 0;
	text[0] = '\0';
	for (unsigned i = 0; (method = abi_method_at(i)) && at < probe->methods; i++) {
		if (strcmp(method->contract, contract) != 0 || probe->has[at++])
			continue;
		missing++;
		int length = snprintf(text + used, room - used, "%s%s", used ? " " : "", method->name);
		if (length > 0 && (size_t)length < room - used)
			used += (size_t)length;
		else
			text[used] = '\0';
	}
	return missing;
}
