/* gateway@N, what it asks its store about proofs. Part of the process: runs as it, dies with it. */
#include "actors/base/proof/proof_json.h"
#include "actors/base/proof/proof_reply.h"
#include "actors/gateway/gateway_self.h"

#include <jansson.h>
#include <stdlib.h>

struct asked {
	struct gateway *self;
	unsigned errand;
	struct store_prove wanted;
};

static struct asked *asked_new(struct gateway *self, unsigned errand)
{
	struct asked *asked = x_new(sizeof *asked);
	asked->self = self;
	asked->errand = errand;
	return asked;
}

static void tell(struct asked *asked, enum err err, char *json)
{
	http_told(asked->self->http, asked->errand, err, json);
	x_free(&asked);
}

/* -- one proof ----------------------------------------------------------------------------------------------------- */

static void on_proved(struct actor *actor, void *context, enum err err, const struct store_prove_reply *reply)
{
	(void)actor;
	struct asked *asked = context;
	struct proof proof;
	if (err == ERR_OK)
		proof_of_reply(&asked->wanted, reply, &proof);
	tell(asked, err, err == ERR_OK ? proof_print(&proof) : NULL);
}

void need_proof(void *context, unsigned errand, const struct http_prove *wanted)
{
	struct gateway *self = context;
	struct asked *asked = asked_new(self, errand);
	asked->wanted = (struct store_prove){wanted->cid, wanted->challenge, (uint8_t)wanted->samples};
	if (ask_store_prove(self->actor, actor_node(self->actor), &asked->wanted, on_proved, asked) != ERR_OK)
		tell(asked, ERR_UNAVAILABLE, NULL);
}

/* -- the last ones ------------------------------------------------------------------------------------------------- */

static json_t *row_json(const struct proof_row *row)
{
	char cid[CID_TEXT], challenge[65];
	return json_pack("{s:s, s:s, s:I, s:i, s:s}", "cid", cid_text(&row->cid, cid), "challenge",
			 hex_text(row->challenge.bytes, 32, challenge), "timestamp", (json_int_t)row->at,
			 "ms", (int)row->ms, "end", row->end);
}

static char *print_proofs(const struct store_proofs_reply *reply)
{
	json_t *failed = json_object(), *proofs = json_array();
	for (uint32_t i = 0; i < reply->failed_count; i++)
		json_object_set_new(failed, reply->failed[i].end,
				    json_integer((json_int_t)reply->failed[i].count));
	for (uint32_t i = 0; i < reply->proofs_count; i++)
		json_array_append_new(proofs, row_json(&reply->proofs[i]));
	json_t *object = json_pack("{s:I, s:o, s:o}", "proved", (json_int_t)reply->proved, "failed", failed,
				   "proofs", proofs);
	char *text = object ? json_dumps(object, JSON_COMPACT) : NULL;
	json_decref(object);
	return text;
}

static void on_proofs(struct actor *actor, void *context, enum err err,
		      const struct store_proofs_reply *reply)
{
	(void)actor;
	struct asked *asked = context;
	tell(asked, err, err == ERR_OK ? print_proofs(reply) : NULL);
}

void need_proofs(void *context, unsigned errand, const struct cid *cid)
{
	struct gateway *self = context;
	struct asked *asked = asked_new(self, errand);
	struct store_proofs in = {.has_cid = cid};
	if (cid)
		in.cid = *cid;
	if (ask_store_proofs(self->actor, actor_node(self->actor), &in, on_proofs, asked) != ERR_OK)
		tell(asked, ERR_UNAVAILABLE, NULL);
}
