/* Who may read ROOT/logs. */
#ifndef WARREN_SUPERVISOR_LOG_FOLDER_H
#define WARREN_SUPERVISOR_LOG_FOLDER_H

#include "supervisor/machine.h"

/* As root: gives the folders and files of scribe to this group to read (02750, 0640; the bit makes what scribe makes later be of
 * that group, though scribe is no member of it), or with 0 closes them to everybody but scribe. Else does nothing. What cannot be
 * changed is logged and left. */
void log_folder_share(const struct machine *machine, uint32_t group);

/* The same for one folder that is open. False: errno. */
bool log_folder_open_to(int fd, uint32_t uid, uint32_t group);

#endif
