/* A proof as JSON, for the gateway's answer and for whoever judges it. One object; keys as seed 003 names them where it has them:
 *
 *   {"version":1, "cid":"bafkrei…", "size":n, "root":hex, "tree":hex, "nodeId":"12D3KooW…", "publicKey":hex,
 *    "challenge":hex, "timestamp":n, "proof":hex of the signature,
 *    "samples":[{"leaf":n, "bytes":base64, "path":[hex, …]}, …]}
 *
 * base64 is RFC 4648 with padding; hex is lower case when written and either when read. Unknown keys are ignored. */
#ifndef WARREN_PROOF_JSON_H
#define WARREN_PROOF_JSON_H

#include "actors/base/proof/proof.h"

enum { PROOF_JSON = 512 * 1024, PROOF_WHY = 120 }; /* bytes of the longest that is read */

char *proof_print(const struct proof *proof); /* malloc'ed text; NULL: no memory */

/* Reads bytes that anybody may have written. The samples point into *room, which is x_new'd and the caller's to x_free(). False:
 * `why` says what is wrong with it, and there is no room. */
struct proof_room;
bool proof_parse(const char *text, size_t length, struct proof *proof, struct proof_room **room, char why[PROOF_WHY]);

#endif
