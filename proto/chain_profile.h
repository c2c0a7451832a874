/* Which chain a machine speaks to: chosen by root in etc/chain.conf, read and checked by the supervisor (chain_file.h there),
 * told to whoever's row has the word "chain_profile" as one line of text in its birth record. Both ends use these functions, so
 * the line means the same to both. A machine without a chain has no such line and no such process. Pure. */
#ifndef WARREN_PROTO_CHAIN_PROFILE_H
#define WARREN_PROTO_CHAIN_PROFILE_H

#include "proto/ids.h"

enum {
	CHAIN_NAME = 24,   /* a-z, 0-9 and '-' */
	CHAIN_URLS = 4,    /* as many ports may be dialled: DIALS_MOST of proto/birth.h */
	CHAIN_URL = 256,   /* characters */
	CHAIN_TEXT = 2048, /* the longest line, with its NUL */
	CHAIN_CONFIRMATIONS_MOST = 256,
	CHAIN_BLOCK_S_MOST = 3600,
};

/* The contracts by the names of their Solidity (contracts/src). */
#define CHAIN_CONTRACTS(C) C(MCTToken) C(RelayManager) C(MumbleChatRegistry) C(VaultRegistry) C(NodeNexus)
enum chain_contract {
#define C(name) CONTRACT_##name,
	CHAIN_CONTRACTS(C)
#undef C
	CHAIN_CONTRACT_COUNT
};
const char *chain_contract_name(unsigned contract);

enum chain_fee { CHAIN_FEE_EIP1559, CHAIN_FEE_LEGACY };
const char *chain_fee_name(enum chain_fee fee); /* "eip1559", "legacy" */

struct chain_profile {
	char name[CHAIN_NAME + 1]; /* "dev", "ramestta", "amoy", or what a file is called */
	uint64_t id;               /* EIP-155; 1 to UINT32_MAX, as in a policy */
	char rpc[CHAIN_URLS][CHAIN_URL + 1]; /* in the order in which they are tried */
	unsigned rpc_count;        /* at least 1 */
	struct address contracts[CHAIN_CONTRACT_COUNT];
	uint32_t known;            /* a bit for each contract that has an address here */
	enum chain_fee fee;
	uint32_t confirmations;    /* blocks on top of one until what is in it counts, its own included: at least 1 */
	uint32_t block_s;          /* seconds between two blocks; 0: a block for each transaction, and none else */
};

bool chain_name_fits(const char *name);
bool chain_url_fits(const char *url); /* http or https, nothing unusual in it (proto/web.h), at most CHAIN_URL characters */

/* The line, without an end of line; its length, or 0 when the profile is none. */
size_t chain_profile_print(const struct chain_profile *profile, char text[CHAIN_TEXT]);

/* Exactly what chain_profile_print() writes; false for anything else, with *profile zeroed. */
bool chain_profile_parse(const char *text, struct chain_profile *profile);

/* ROOT/run/chain: the line, for everybody on the machine; a URL ends with its host there, as its path may hold a key that
 * somebody pays for. Written by the supervisor when it reads the configuration; absent: no chain. */
#define CHAIN_FILE "chain"

/* The same chain, with such URLs. */
void chain_profile_publish(const struct chain_profile *profile, struct chain_profile *published);

#endif
