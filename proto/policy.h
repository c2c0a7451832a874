/* What a wallet may sign: written by root in etc/policy.conf, read and checked by the supervisor, told to wallet@N as one line
 * of text in its birth record (the setting "policy"). Both ends use these functions, so the line means the same to both.
 * What is not here is refused. Pure. */
#ifndef WARREN_PROTO_POLICY_H
#define WARREN_PROTO_POLICY_H

#include "proto/ids.h"

enum {
	POLICY_TEXT = 7936, /* the longest line, with its NUL: below SETTINGS_MAX of proto/birth.h */
	POLICY_NAME = 24,
	POLICY_HUB = 64,
	POLICY_CHAINS = 4,
	POLICY_RULES = 16, /* of all chains */
	POLICY_METHODS = 6, /* of a rule */
	POLICY_FIXED = 2,   /* of a rule */
	POLICY_HUBS = 8,
	POLICY_WORDS = 32, /* arguments of a method */
};

/* A method by its selector; arguments are 32-byte words (Solidity ABI). `pay`: a plain transfer, without call data. */
struct policy_method {
	bool pay;
	uint8_t selector[4];
	uint8_t words; /* of the head: one for each argument */
	bool exact;    /* no argument is dynamic: the call data is exactly the head */
};

struct policy_fixed { /* argument `word` (from 1) must be this */
	uint8_t word;
	struct hash is;
};

struct policy_rule {
	char name[POLICY_NAME + 1]; /* a-z, 0-9, '-' */
	uint8_t chain;              /* index */
	struct address to;
	struct policy_method methods[POLICY_METHODS];
	unsigned method_count;
	struct u256 value_per_day, fee_per_day; /* wei, in any rolling 24 hours */
	uint32_t spacing_s;                     /* from one signature to the next */
	uint32_t count_per_day;
	uint8_t amount_word;        /* argument that is an amount of something else (a token), 0: none */
	struct u256 amount_per_day; /* of it */
	struct policy_fixed fixed[POLICY_FIXED];
	unsigned fixed_count;
};

struct policy_chain {
	uint64_t id;
	struct u256 value_per_day, fee_per_day; /* over all its rules */
};

/* Statements that may be signed, as bits of policy.statements, in this order. */
#define POLICY_STATEMENTS(S) \
	S(PEER_PROOF, "peer-proof") S(HUB_CHALLENGE, "hub-challenge") S(RELAY_PROOF, "relay-proof")
enum policy_statement {
#define S(SYMBOL, name) STATEMENT_##SYMBOL,
	POLICY_STATEMENTS(S)
#undef S
		STATEMENT_KINDS
};
const char *policy_statement_name(unsigned statement);

struct policy {
	bool present; /* there is one, be it empty */
	struct policy_chain chains[POLICY_CHAINS];
	unsigned chain_count;
	struct policy_rule rules[POLICY_RULES];
	unsigned rule_count;
	uint32_t statements;
	char hubs[POLICY_HUBS][POLICY_HUB + 1]; /* domains whose challenges may be answered */
	unsigned hub_count;
};

/* The line, without an end of line; its length, or 0 when it does not fit. A policy without rules and statements has one, too. */
size_t policy_print(const struct policy *policy, char text[POLICY_TEXT]);

/* Exactly what policy_print() writes; false for anything else, with *policy zeroed. */
bool policy_parse(const char *text, struct policy *policy);

bool policy_name_fits(const char *name); /* of a rule */
bool policy_hub_fits(const char *hub);   /* a domain: letters, digits, '-', '.', lower case */

/* For people: "0x1248ab2b pay", "peer-proof hub-challenge", "hub.example.org". */
enum { POLICY_METHODS_TEXT = 80, POLICY_WORDS_TEXT = 640 };
const char *policy_methods_text(const struct policy_rule *rule, char text[POLICY_METHODS_TEXT]);
const char *policy_statements_text(const struct policy *policy, char text[POLICY_WORDS_TEXT]);
const char *policy_hubs_text(const struct policy *policy, char text[POLICY_WORDS_TEXT]);

/* -1: there is none. */
int policy_chain_find(const struct policy *policy, uint64_t id);

#endif
