/* ROOT/etc/chain.conf: which chain this machine speaks to (proto/chain_profile.h). Without it: none, and no process for one. Part
 * of the configuration: read whole, checked whole, every mistake with its line.
 *
 *   profile = "dev";       // dev, ramestta, amoy (chains.def), any other that has a file, or none
 *   port = 5000;           // of dev: where the machine's own anvil listens, on 127.0.0.1; not said: 5000
 *
 * ROOT/etc/chain-NAME.conf, beside it, says of the profile NAME what chains.def does not say, or says otherwise; all of it for a
 * name that is not there.
 *
 *   id = 31337;
 *   rpc = ["https://one.example.org", "https://two.example.org/key"];  // 1 to 4, in the order in which they are tried
 *   fee = "eip1559";       // or "legacy"; not said: eip1559
 *   confirmations = 12;    // blocks until what is in one counts; not said: 12
 *   block_s = 2;           // seconds between two blocks; not said: 2
 *   contracts = { MCTToken = "0x…"; RelayManager = "0x…"; };   // those that are there */
#ifndef WARREN_SUPERVISOR_CHAIN_FILE_H
#define WARREN_SUPERVISOR_CHAIN_FILE_H

#include "supervisor/config.h"

enum { ANVIL_PORT = 5000 };

/* Fills in config->chain and config->anvil_port. `path` is how mistakes call the folder `etc`. */
void chain_files_read(int etc, const char *path, struct config *config, struct mistakes *mistakes);

/* The chain `name` of chains.def; false: there is none. */
bool chain_known(const char *name, struct chain_profile *profile);

#endif
