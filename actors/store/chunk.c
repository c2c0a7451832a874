/* Sealing of chunks. Plain functions; the keys they are given are the store's own and never leave it. */
#include "actors/store/chunk.h"

#include "actors/base/memory/memory.h"
#include "actors/base/secret/secret.h"

#include <string.h>

static const char for_store[] = "warren store 1";
static const char for_header[] = "warren header 1";
static const char for_blob[] = "warren blob 1";

struct store_keys *store_keys_new(const uint8_t secret[32], const struct store_id *id)
{
	enum secret_wall wall;
	struct store_keys *keys = secret_new(sizeof *keys, SECRET_HIDDEN, &wall);
	hkdf_sha256(secret, 32, id->bytes, sizeof id->bytes, for_store, sizeof for_store - 1, keys->store,
		    sizeof keys->store);
	hkdf_sha256(keys->store, sizeof keys->store, NULL, 0, for_header, sizeof for_header - 1, keys->header,
		    sizeof keys->header);
	return keys;
}

void store_keys_free(struct store_keys **keys)
{
	secret_free(keys, sizeof **keys);
}

struct sealer *blob_sealer(const struct store_keys *keys, const struct blob_id *id)
{
	uint8_t info[sizeof for_blob - 1 + sizeof id->bytes], key[SEAL_KEY];
	memcpy(info, for_blob, sizeof for_blob - 1);
	memcpy(info + sizeof for_blob - 1, id->bytes, sizeof id->bytes);
	hkdf_sha256(keys->store, sizeof keys->store, NULL, 0, info, sizeof info, key, sizeof key);
	struct sealer *sealer = sealer_new(key);
	wipe(key, sizeof key);
	return sealer;
}

static void nonce_of(uint64_t number, bool last, uint8_t nonce[SEAL_NONCE])
{
	memset(nonce, 0, SEAL_NONCE);
	for (unsigned i = 0; i < 8; i++)
		nonce[3 + i] = (uint8_t)(number >> (56 - 8 * i));
	nonce[11] = last;
}

void chunk_seal(struct sealer *sealer, uint64_t number, bool last, const uint8_t *plain, size_t length,
		uint8_t *sealed)
{
	uint8_t nonce[SEAL_NONCE];
	nonce_of(number, last, nonce);
	seal(sealer, nonce, NULL, 0, plain, length, sealed);
}

bool chunk_unseal(struct sealer *sealer, uint64_t number, bool last, const uint8_t *sealed, size_t length,
		  uint8_t *plain)
{
	uint8_t nonce[SEAL_NONCE];
	nonce_of(number, last, nonce);
	return unseal(sealer, nonce, NULL, 0, sealed, length, plain);
}

uint64_t chunk_count(uint64_t size)
{
	return size ? (size - 1) / CHUNK + 1 : 1;
}

uint64_t chunk_at(uint64_t number)
{
	return BLOB_HEADER + number * CHUNK_SEALED;
}

size_t chunk_length(uint64_t size, uint64_t number)
{
	uint64_t left = size - number * CHUNK;
	return left < CHUNK ? (size_t)left : CHUNK;
}

uint64_t blob_stored(uint64_t size)
{
	return BLOB_HEADER + size + chunk_count(size) * SEAL_TAG;
}

uint64_t blob_units(uint64_t size, uint32_t unit)
{
	return (blob_stored(size) + unit - 1) / unit;
}
