/* ROOT/etc/policy.conf: what wallets may sign (proto/policy.h). One for all nodes, each with budgets of its own; etc/policyN.conf
 * stands instead of it for node N. Part of the configuration: read whole, checked whole, every mistake with its line.
 *
 *   chains = ({
 *     id = 1370;
 *     value_per_day = "1";           // coins, 18 decimals, in any rolling 24 hours; over all rules of the chain
 *     fee_per_day = "0.5";           // gas limit × max fee, as if all of it were used
 *     rules = ({
 *       name = "stake";
 *       to = "0xEfD7B65676FCD4b6d242CbC067C2470df19df1dE";
 *       methods = ["approve(address,uint256)"];     // or "0x095ea7b3:2" (words of arguments, + when one is dynamic), or "pay"
 *       fee_per_day = "0.2";         // not said: the chain's
 *       value_per_day = "0";         // not said: 0
 *       count_per_day = 400;         // not said: 16384
 *       spacing = 60;                // seconds; not said: 0
 *       amount_word = 2;             // this argument is an amount, of which there may be …
 *       amount_per_day = "100";      // … so much a day, with …
 *       amount_decimals = 18;        // … so many decimals; not said: 18
 *       only = ({ word = 1; is = "0xF78F840eF0e321512b09e98C76eA0229Affc4b73"; });  // argument 1 must be this
 *     });
 *   });
 *   statements = ["peer-proof", "hub-challenge", "relay-proof"];
 *   hubs = ["hub.example.org"];     // whose challenges may be answered */
#ifndef WARREN_SUPERVISOR_POLICY_FILE_H
#define WARREN_SUPERVISOR_POLICY_FILE_H

#include "supervisor/config.h"

/* Fills in `policy` of every node. `path` is how mistakes call the folder `etc`. */
void policy_files_read(int etc, const char *path, struct config *config, struct mistakes *mistakes);

/* "heartbeatByNodeId(bytes32)", "0x1248ab2b:1+", "pay"; false for anything else. */
struct policy_method;
bool policy_method_read(const char *text, struct policy_method *method);

#endif
