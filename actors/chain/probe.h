/* What a deployed contract can really do: the selectors that its code compares with. Solidity's dispatcher pushes each
 * selector before it compares (PUSH4, or shorter where it begins with zeros), so a selector that is pushed nowhere is not
 * there. One that is pushed need not be a method of its own; then the call fails, as any call may. Pure. */
#ifndef WARREN_CHAIN_PROBE_H
#define WARREN_CHAIN_PROBE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	PROBE_CODE = 24576, /* bytes of code that a contract may have (EIP-170) */
	PROBE_METHODS = 128, /* of a contract of abi.def */
};

/* Which of the methods of `contract` its code has. */
struct probe {
	bool done, there; /* there: it has code at all */
	unsigned methods;
	bool has[PROBE_METHODS]; /* in the order of abi_method_at() */
};
void probe_code(struct probe *probe, const char *contract, const uint8_t *code, size_t length);

struct abi_method;
bool probe_has(const struct probe *probe, const struct abi_method *method);

/* "name name …" of those that are missing, cut to `room`; how many. */
unsigned probe_missing(const struct probe *probe, const char *contract, char *text, size_t room);

#endif
