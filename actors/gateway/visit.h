/* A visit: one client's connection, and the request it is at. What http.c, request.c, visit.c,
 * upload.c and download.c share; for them alone.
 *
 * A visit is either in the library's hands (it reads, calls us, writes) or suspended: then it waits for a slot, for the store
 * or for facts, and whoever brings that resumes it, upon which the library calls us again at the same place. */
#ifndef WARREN_GATEWAY_VISIT_H
#define WARREN_GATEWAY_VISIT_H

#include "actors/gateway/answer.h"
#include "actors/gateway/framing.h"
#include "actors/gateway/http.h"
#include "actors/gateway/range.h"
#include "actors/gateway/target.h"

/* Circular lists with a head. */
struct link {
	struct link *next, *previous;
};
struct visit *link_visit(struct link *link);	/* of visit.place */
struct visit *link_waiting(struct link *link); /* of visit.wait */
void link_clear(struct link *link);		/* also a head: empty */
bool link_empty(const struct link *link);
void link_append(struct link *head, struct link *link); /* it may be in another list: it moves */
void link_remove(struct link *link);

enum direction { UPLOAD, DOWNLOAD, DIRECTIONS };

/* For whom a request waits; the deadline belongs to it. */
enum awaits { AWAITS_CLIENT, AWAITS_TURN /* a slot, or the store's return */, AWAITS_STORE, AWAITS_FACTS };

/* How fast an upload comes: bytes of the last whole stretch of pace_ms, and of the one that runs. */
struct pace {
	uint64_t since_ms; /* 0: none runs */
	uint64_t since;	   /* bytes that had come by then */
	bool known;	   /* a whole one has passed */
	uint64_t last;
};

struct request {
	struct request_line line;
	struct target target;
	struct framing framing;
	struct complaint complaint; /* once it has a status, this is the answer */
	bool judged;		    /* the head was read */
	bool begun;		    /* and it was let in: the body may come */
	bool turned_away;	    /* it came after the doors were closed */
	bool head_only;		    /* HEAD */
	bool answered, unread;	    /* a response is queued; a body was refused unread */

	/* moving a blob */
	enum direction direction;
	bool has_slot, retried;
	struct transfer *transfer;
	bool over;		 /* the transfer has ended, as `outcome` says */
	enum err outcome;
	uint32_t argument;

	/* upload */
	struct chunk *filling; /* 64 KiB at a time */
	uint64_t taken;	       /* bytes of the body */
	bool ended;	       /* END was sent */
	struct pace pace;      /* while it has a slot */
	struct stream_stored stored;

	/* download */
	struct chunk *first, *last; /* came and is not sent yet */
	bool looked;		    /* the head was asked for alone, and what is decided by it is decided */
	uint64_t size;		    /* of the blob */
	struct span span;	    /* of it, that is the answer */
	uint64_t came;
	uint32_t used; /* bytes of `first` that were sent */
	unsigned status; /* 200, 206 or 304 */

	/* proofs */
	char *asked; /* PROVE_BODY bytes: the body so far */
	uint32_t asked_length;
	struct errand *errand;
	char *told; /* JSON, malloc'ed */
};

/* Something that the store is asked for over the bus; the visit may be gone when the answer comes. */
struct errand {
	bool out;
	struct visit *visit; /* NULL: nobody waits any more */
};
enum { PROVE_BODY = 1024 };

struct visit {
	struct http *http;
	struct MHD_Connection *connection;
	int fd;
	struct link place; /* in http->idle or http->busy; in neither once it was shown out */
	struct link wait;  /* in http->turn[…] or http->curious */
	enum awaits awaits;
	uint64_t deadline_ms;
	bool suspended, cut;
	struct request request;
};

struct http {
	struct http_config config;
	struct MHD_Daemon *daemon;
	struct porch *porch;
	struct link idle;	      /* between requests, the longest idle first */
	struct link busy;	      /* at a request */
	struct link turn[DIRECTIONS]; /* waiting for a slot or for the store, first come first */
	struct link curious;	      /* waiting for facts */
	struct errand errands[HTTP_ERRANDS];
	uint64_t slots[DIRECTIONS], waiting[DIRECTIONS];
	struct http_counts counts;
	struct facts facts;
	bool asking;
	uint64_t facts_ms; /* when they came; 0: never */
	uint64_t started_ms, checked_ms, now_ms;
	bool draining, closed;
	uint64_t drain_ms;
};

/* visit.c */
void gauge_up(struct http_gauge *gauge);
void visit_suspend(struct visit *visit, enum awaits awaits, unsigned ms);
void visit_resume(struct visit *visit);
void visit_pace(struct visit *visit); /* the client has moved a step: it has time for another */
void visit_cut(struct visit *visit);   /* the connection ends without another byte, in the library's next round */

/* Whether a blob may move: the request has a slot and the stream is open. Else it was suspended to wait for both, or has a
 * complaint, because too many wait already or it has waited too long. */
bool visit_has_turn(struct visit *visit);
void visit_give_slot_back(struct visit *visit);
void visits_give_turns(struct http *http); /* to those who wait and now can */

void visit_count(struct visit *visit, unsigned status); /* a request was answered so */
enum MHD_Result visit_answer(struct visit *visit, unsigned status, struct MHD_Response *response); /* takes the response */
enum MHD_Result visit_complain(struct visit *visit);

/* Answers in the middle of a body, by itself, and closes: the library would send nothing before the body's end. */
enum MHD_Result visit_refuse_now(struct visit *visit);

/* What is to be said about how the transfer ended. */
struct complaint visit_complaint(struct visit *visit, enum err err);

/* pace.c: measures all uploads; when others wait, as many of the slowest lose their slots */
void visits_keep_pace(struct http *http);

/* http.c */
uint64_t http_now(const struct http *http); /* ms */

/* request.c: what the library calls */
void *on_request_line(void *context, const char *target, struct MHD_Connection *connection);
enum MHD_Result on_request(void *context, struct MHD_Connection *connection, const char *url, const char *method,
			   const char *version, const char *bytes, size_t *count, void **client);
void on_completed(void *context, struct MHD_Connection *connection, void **client, enum MHD_RequestTerminationCode why);
void visit_rest(struct visit *visit); /* between requests from now on */

/* upload.c: the three moments of POST /store */
bool upload_begin(struct visit *visit); /* false: suspended, or it has a complaint */
enum MHD_Result upload_take(struct visit *visit, const char *bytes, size_t *count);
enum MHD_Result upload_finish(struct visit *visit);

/* download.c */
enum MHD_Result download_answer(struct visit *visit);

/* prove.c: POST /proofs/generate, GET /proofs */
void prove_begin(struct visit *visit); /* it may have a complaint then */
enum MHD_Result prove_take(struct visit *visit, const char *bytes, size_t *count);
enum MHD_Result prove_answer(struct visit *visit);
void prove_clear(struct request *request);

/* Both: gives back what the request holds. */
void upload_clear(struct request *request);
void download_clear(struct request *request);

#endif
