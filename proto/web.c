/* A strict reader of http URLs: what is unusual is refused. Pure. */
#include "proto/web.h"

#include <string.h>

static bool plain(const char *text)
{
	for (; *text; text++)
		if (*text <= ' ' || *text > '~' || strchr("\"<>\\^`{|}", *text))
			return false;
	return true;
}

static bool port_of(const char *text, size_t length, uint16_t *port)
{
	unsigned number = 0;
	if (!length || length > 5)
		return false;
	for (size_t i = 0; i < length; i++) {
		if (text[i] < '0' || text[i] > '9')
			return false;
		number = number * 10 + (unsigned)(text[i] - '0');
	}
	*port = (uint16_t)number;
	return number > 0 && number <= UINT16_MAX;
}

static bool host_of(const char *text, size_t length, bool bracketed, char *host, size_t room)
{
	const char *letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_";
	if (!length || length >= room)
		return false;
	memcpy(host, text, length);
	host[length] = '\0';
	return strspn(host, bracketed ? "0123456789abcdefABCDEF:." : letters) == length;
}

bool web_address(const char *url, struct web_address *address)
{
	*address = (struct web_address){0};
	address->tls = strncmp(url, "https://", 8) == 0;
	if (!plain(url) || (!address->tls && strncmp(url, "http://", 7) != 0))
		return false;
	url += address->tls ? 8 : 7;
	size_t length = strcspn(url, "/?#");
	bool bracketed = *url == '[';
	const char *end = bracketed ? memchr(url, ']', length) : memchr(url, ':', length);
	if (bracketed && !end)
		return false;
	size_t host = end ? (size_t)(end - url) : length;
	const char *rest = url + host + bracketed;
	address->port = address->tls ? 443 : 80;
	if (rest != url + length &&
	    (*rest != ':' || !port_of(rest + 1, (size_t)(url + length - rest) - 1, &address->port)))
		return false;
	return host_of(url + bracketed, host - bracketed, bracketed, address->host, sizeof address->host);
}
