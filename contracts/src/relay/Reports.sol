// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Relays} from "./Relays.sol";
import {Reporting} from "./Reporting.sol";

/// @title Reports of violations, and what the owner decides on them
/// @dev Deployed, five free reports of anybody destroyed a node. Here a report costs a bond and does nothing until the owner has
/// judged it: upheld, the bond goes back and the node's wallet has a violation; rejected, the bond is the wallet's. A report that
/// nobody judged in REPORT_TIME is void.
abstract contract Reports is Relays {
	using Reporting for Reporting.Book;

	/// @notice The highest bond a setting may reach: the lowest stake. Ours.
	uint256 internal constant MAX_BOND = 100e18;

	Reporting.Book private _reports;

	error BondIsAboveItsBound(uint256 bound);

	event NodeBlacklisted(address indexed node, string reason);
	event NodePardoned(address indexed node);
	event ReportBondChanged(uint256 oldBond, uint256 newBond);

	constructor() {
		_reports.bond = 10e18;
	}

	/// @notice What a report costs while it is open; 10 MCT at first. Ours.
	function reportBond() external view returns (uint256) {
		return _reports.bond;
	}

	/// @notice An open report; all zero when there is none of this number.
	function getReport(uint256 id) external view returns (Reporting.Report memory) {
		return _reports.reports[id];
	}

	/// @notice Reports a node. Takes reportBond, which must be approved first.
	function reportViolation(bytes32 nodeId, string calldata reason) external nonReentrant onlyRegistered {
		Node storage node = _activeNode(nodeId);
		uint256 bond = _reports.open(nodeId, node.wallet, reason);
		_takeBond(bond);
	}

	/// @notice Decides on a report. Each fifth violation of a wallet slashes the node that it was reported for.
	function judgeReport(uint256 id, bool upheld) external onlyOwner nonReentrant {
		Reporting.Report memory report = _reports.judge(id, upheld);
		if (upheld) _violate(report.nodeId, report.wallet);
		_returnBond(upheld ? report.reporter : report.wallet, report.bond);
	}

	/// @notice Gives the bond back of a report that was not judged in time.
	function withdrawReport(uint256 id) external nonReentrant {
		_returnBond(msg.sender, _reports.withdraw(id));
	}

	/// @dev One violation: reputation, and with each MAX_VIOLATIONS of them a slash.
	function _violate(bytes32 nodeId, address account) private {
		Wallet storage wallet = _wallets[account];
		uint256 score = _reputation(wallet);
		_setReputation(account, score > VIOLATION_COST ? score - VIOLATION_COST : 0);
		if (++wallet.violations % MAX_VIOLATIONS == 0) _slash(nodeId, "Too many violations");
	}

	function _takeBond(uint256 bond) internal {
		totalBonds += bond;
		_pullWhole(bond);
	}

	function _returnBond(address to, uint256 bond) internal {
		totalBonds -= bond;
		_pay(to, bond);
	}

	// -- the owner's own means ---------------------------------------------------------------------------------------

	/// @notice Slashes a node (deployed). What it takes goes to the relays' fee pool, never to the owner.
	function slashNode(bytes32 nodeId, string calldata reason) external onlyOwner nonReentrant {
		_activeNode(nodeId);
		_slash(nodeId, reason);
	}

	/// @notice Takes all nodes of a wallet off and lets it register none. Its stakes stay its own: deactivateNodeById.
	function blacklistNode(address account, string calldata reason) external onlyOwner nonReentrant {
		_wallets[account].blacklisted = true;
		bytes32[] storage ids = walletNodeIds[account];
		for (uint256 i = 0; i < ids.length; ++i) {
			if (_nodes[ids[i]].active) _off(ids[i], _nodes[ids[i]]);
		}
		emit NodeBlacklisted(account, reason);
		TOKEN.setActiveRelayCount(totalRelayNodes);
	}

	function removeFromBlacklist(address account) external onlyOwner {
		_wallets[account].blacklisted = false;
		emit NodePardoned(account);
	}

	function setReportBond(uint256 newBond) external onlyOwner {
		if (newBond > MAX_BOND) revert BondIsAboveItsBound(MAX_BOND);
		emit ReportBondChanged(_reports.bond, newBond);
		_reports.bond = newBond;
	}
}
