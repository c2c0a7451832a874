// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Challenges} from "./relay/Challenges.sol";
import {Money} from "./relay/Money.sol";
import {Nodes} from "./relay/Nodes.sol";

/// @title Nodes, their stakes, uptime, relay proofs, rewards, reports and challenges (seeds 000 and 002, FEATURES 1.3)
/// @notice Answers the selectors of the deployed RelayManager and the names of the seeds. The parts are in relay/; here is what
/// it says about them.
/// @dev Not upgradeable. The owner may slash, blacklist, judge reports and set what has a setter; no call of the owner moves a
/// stake, a bond or the reserve to the owner.
contract RelayManager is Challenges {
	constructor(address token, address registry_, address initialOwner) Money(token, initialOwner) Nodes(registry_) {}

	// -- one node ----------------------------------------------------------------------------------------------------

	/// @notice The 13 fields of the deployed getNodeByNodeId. rewardsEarned is of the wallet, as statistics are.
	function getNodeByNodeId(bytes32 nodeId)
		external
		view
		returns (
			address walletAddress,
			bytes32 machine,
			uint256 instanceNumber,
			string memory endpoint,
			uint256 stakedAmount,
			uint256 messagesRelayed,
			uint256 rewardsEarned,
			bool isActive,
			uint256 dailyUptimeSeconds,
			uint256 storageMB,
			NodeTier tier,
			bool isOnline,
			uint256 registeredAt
		)
	{
		// one value at a time: more variables do not fit on the stack
		walletAddress = nodeIdToWallet(nodeId);
		machine = machineIdHash(nodeId);
		instanceNumber = _nodes[nodeId].instance;
		endpoint = _nodes[nodeId].endpoint;
		stakedAmount = _nodes[nodeId].stake;
		messagesRelayed = _nodes[nodeId].relayed;
		rewardsEarned = _earnedBy(nodeId);
		isActive = _nodes[nodeId].active;
		dailyUptimeSeconds = getUptimeToday(nodeId);
		storageMB = _nodes[nodeId].storageMB;
		tier = _nodes[nodeId].tier;
		isOnline = isNodeOnlineByNodeId(nodeId);
		registeredAt = _nodes[nodeId].registeredAt;
	}

	function _earnedBy(bytes32 nodeId) private view returns (uint256) {
		return _wallets[_nodes[nodeId].wallet].earned;
	}

	function getNodeIdentity(bytes32 nodeId)
		external
		view
		returns (
			bytes32 id,
			bytes32 machine,
			bytes32 serialHash,
			address walletAddress,
			uint256 instanceNumber,
			uint256 registeredAt,
			bool isActive
		)
	{
		Node storage node = _nodes[nodeId];
		if (node.wallet == address(0)) return (0, 0, 0, address(0), 0, 0, false);
		return (nodeId, node.machine, node.serial, node.wallet, node.instance, node.registeredAt, node.active);
	}

	/// @notice Seed 000's mapping from a node to its machine.
	function machineIdHash(bytes32 nodeId) public view returns (bytes32) {
		return _nodes[nodeId].machine;
	}

	function nodeIdToWallet(bytes32 nodeId) public view returns (address) {
		return _nodes[nodeId].wallet;
	}

	function getLastHeartbeat(bytes32 nodeId) external view returns (uint256) {
		return _nodes[nodeId].lastHeartbeat;
	}

	function getOpenChallenges(bytes32 nodeId) external view returns (uint256) {
		return _nodes[nodeId].openChallenges;
	}

	function isNodeOnlineByNodeId(bytes32 nodeId) public view returns (bool) {
		return _isOnline(_nodes[nodeId]);
	}

	function getRewardMultiplierByNodeId(bytes32 nodeId) external view returns (uint256) {
		return getMultiplierForTier(_nodes[nodeId].tier);
	}

	function getEndpointByNodeId(bytes32 nodeId)
		external
		view
		returns (string memory endpoint, address wallet, bool isActive)
	{
		Node storage node = _nodes[nodeId];
		return (node.endpoint, node.wallet, node.active);
	}

	// -- one wallet --------------------------------------------------------------------------------------------------

	function getWalletNodeIds(address wallet) external view returns (bytes32[] memory) {
		return walletNodeIds[wallet];
	}

	/// @notice The endpoint of the wallet's first active node (deployed: of its first node, active or not).
	function getEndpointByWallet(address wallet) external view returns (string memory endpoint, bool isActive) {
		bytes32[] storage ids = walletNodeIds[wallet];
		if (ids.length == 0) return ("", false);
		Node storage node = _nodes[ids[0]];
		for (uint256 i = 1; i < ids.length && !node.active; ++i) {
			if (_nodes[ids[i]].active) node = _nodes[ids[i]];
		}
		return (node.endpoint, node.active);
	}

	function getNodeSecurityInfo(address wallet)
		external
		view
		returns (uint256 reputation, uint256 violations, bool blacklisted, bool canOperate)
	{
		Wallet storage data = _wallets[wallet];
		reputation = _reputation(data);
		return (reputation, data.violations, data.blacklisted, !data.blacklisted && reputation > LOW_REPUTATION);
	}

	function getRelayProofNonce(address wallet) external view returns (uint256) {
		return _wallets[wallet].proofNonce;
	}

	function lastRelayProofTime(address wallet) external view returns (uint256) {
		return _wallets[wallet].lastProof;
	}

	// -- one machine, and all ----------------------------------------------------------------------------------------

	function getNodeIdsByMachine(bytes32 machine) external view returns (bytes32[] memory) {
		return machineNodeIds[machine];
	}

	function getNodesOnMachine(bytes32 machine) external view returns (uint256) {
		return machineNodeIds[machine].length;
	}

	/// @notice How many ids were ever registered.
	function getTotalNodeIds() external view returns (uint256) {
		return _ids;
	}

	function getActiveNodeIds() external view returns (bytes32[] memory nodeIds, address[] memory wallets) {
		return getActiveNodeIdsFrom(0, _active.length);
	}

	/// @notice A page of the active nodes, for when all of them are too many for one answer.
	function getActiveNodeIdsFrom(uint256 from, uint256 most)
		public
		view
		returns (bytes32[] memory nodeIds, address[] memory wallets)
	{
		uint256 count = from < _active.length ? _active.length - from : 0;
		if (count > most) count = most;
		nodeIds = new bytes32[](count);
		wallets = new address[](count);
		for (uint256 i = 0; i < count; ++i) {
			nodeIds[i] = _active[from + i];
			wallets[i] = _nodes[nodeIds[i]].wallet;
		}
	}

	function getActiveEndpoints()
		external
		view
		returns (bytes32[] memory nodeIds, string[] memory endpoints, address[] memory wallets)
	{
		(nodeIds, wallets) = getActiveNodeIdsFrom(0, _active.length);
		endpoints = new string[](nodeIds.length);
		for (uint256 i = 0; i < nodeIds.length; ++i) endpoints[i] = _nodes[nodeIds[i]].endpoint;
	}

	function version() external pure returns (string memory) {
		return "warren-1";
	}
}
