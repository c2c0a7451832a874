/* Reads what the host is. Part of the supervisor and of its command line; touches /etc/machine-id and
 * ROOT/machine/id. */
#include "supervisor/host.h"

#include "actors/base/crypto/crypto.h"
#include "supervisor/make.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysinfo.h>
#include <unistd.h>

enum { MACHINE_ID = 32 /* hex digits, machine-id(5) */, DIGEST = 32 };
static const char application[] = "warren machine id 1"; /* so that no other program's hash is ours */

uint64_t host_memory(void)
{
	struct sysinfo info;
	return sysinfo(&info) == 0 ? (uint64_t)info.totalram * info.mem_unit : 0;
}

unsigned host_cores(void)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	return cores > 0 ? (unsigned)cores : 1;
}

const char *host_id_text(const struct hash *id, char text[HOST_ID_TEXT])
{
	text[0] = '0';
	text[1] = 'x';
	hex_text(id->bytes, sizeof id->bytes, text + 2);
	return text;
}

static size_t read_text(int folder, const char *path, char *text, size_t room)
{
	int fd = openat(folder, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	ssize_t got = fd < 0 ? -1 : read(fd, text, room - 1);
	if (fd >= 0)
		close(fd);
	text[got > 0 ? got : 0] = '\0';
	return got > 0 ? (size_t)got : 0;
}

bool host_id_read(const char *path, struct hash *id)
{
	char text[MACHINE_ID + 8], *end = text;
	uint8_t said[7 + DIGEST] = "machine", raw[MACHINE_ID / 2];
	*id = (struct hash){0};
	read_text(AT_FDCWD, path, text, sizeof text);
	end += strcspn(text, "\n");
	if (end - text != MACHINE_ID || !hex_parse(text, MACHINE_ID, raw, sizeof raw))
		return false; /* also "uninitialized" */
	hmac_sha256((const uint8_t *)text, application, sizeof application - 1, said + 7);
	keccak256(said, sizeof said, id->bytes);
	return true;
}

static bool read_kept(const struct machine *machine, struct hash *id)
{
	char text[HOST_ID_TEXT + 8];
	size_t length = read_text(machine->own, "id", text, sizeof text);
	return length == HOST_ID_TEXT && strncmp(text, "0x", 2) == 0 && text[length - 1] == '\n' &&
	       hex_parse(text + 2, length - 3, id->bytes, sizeof id->bytes);
}

bool host_keep(const struct machine *machine, const struct hash *id)
{
	char text[HOST_ID_TEXT], line[HOST_ID_TEXT + 2];
	snprintf(line, sizeof line, "%s\n", host_id_text(id, text));
	return make_file(machine->own, "id", 0644, line);
}

struct host_id host_look(const struct machine *machine)
{
	struct host_id id = {.state = HOST_UNKNOWN};
	bool live = host_id_read(HOST_ID_FILE, &id.live), kept = read_kept(machine, &id.kept);
	/* One that cannot be looked at, or read, is not taken for none. */
	bool there = faccessat(machine->own, "id", F_OK, AT_SYMLINK_NOFOLLOW) == 0 || errno != ENOENT;
	if (!live)
		return id;
	if (there)
		id.state = kept && memcmp(&id.live, &id.kept, sizeof id.live) == 0 ? HOST_SAME : HOST_CHANGED;
	else
		id.state = HOST_NEW;
	if (id.state == HOST_NEW && host_keep(machine, &id.live))
		id.kept = id.live;
	return id;
}

bool host_refuse_changed(const struct host_id *id, struct why *why)
{
	static const struct hash none;
	char live[HOST_ID_TEXT], kept[HOST_ID_TEXT];
	if (memcmp(&id->kept, &none, sizeof none) == 0)
		return refuse(
			why,
			"the machine id that was kept cannot be read, so nobody knows whether this is the "
			"machine that its nodes were made on: look at machine/id in the root folder");
	return refuse(why,
		      "this is not the machine that its nodes were made on.\n"
		      "  machine id kept: %s\n"
		      "  machine id now:  %s\n"
		      "  rule \"one machine id\": nothing is added or registered under another one\n"
		      "  next: put the nodes back on their machine, or, if it was moved or installed anew on "
		      "purpose: warrend reregister",
		      host_id_text(&id->kept, kept), host_id_text(&id->live, live));
}
