/* One HTTP request to the node that is looked at. */
#ifndef WARREN_AUDITOR_ASK_H
#define WARREN_AUDITOR_ASK_H

#include <stddef.h>

enum { ASK_MS = 10000, ASK_WHY = 256 };

struct answer {
	long status; /* 0: none came; `why` says what happened */
	char *body;  /* malloc'ed; may be NULL */
	size_t length;
	char why[ASK_WHY];
};

/* POSTs `json`, or GETs when it is NULL. At most PROOF_JSON bytes are taken; only http and https, no redirects, no proxy. */
void ask(const char *url, const char *json, struct answer *answer);
void answer_end(struct answer *answer);

#endif
