// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IRelays} from "../IRelays.sol";
import {Money} from "./Money.sol";
import {Tiers} from "./Tiers.sol";

interface IIdentities {
	function isRegistered(address wallet) external view returns (bool);
}

/// @title Nodes: their ids, stakes, uptime and endpoints
/// @dev A node is off when its owner took it off or it was forced off; either way its owner gets back what is left of the stake
/// by deactivateNodeById, as soon as no challenge is open. Deployed, the stake of a node forced off was stuck for ever.
abstract contract Nodes is IRelays, Tiers, Money {
	struct Node { // the first two slots are all that a heartbeat touches below 8 hours of uptime
		address wallet;
		uint40 registeredAt;
		uint32 instance;
		NodeTier tier;
		bool active;
		uint128 stake;
		uint40 lastHeartbeat;
		uint32 dayUptime; // seconds, of the day below
		uint32 uptimeDay;
		uint16 openChallenges;
		bytes32 machine;
		bytes32 serial;
		uint32 storageMB;
		uint32 place; // in _active
		uint64 relayed;
		string endpoint;
	}

	struct Wallet {
		uint64 proofNonce;
		uint40 lastProof;
		uint40 activeSince;
		uint16 activeNodes;
		uint16 violations;
		uint8 reputation; // INITIAL_REPUTATION until the first change when !seen
		bool seen;
		bool blacklisted;
		uint128 earned;
	}

	/// @notice A gap between heartbeats longer than this counts nothing (deployed: 5 minutes).
	uint256 public constant HEARTBEAT_TIMEOUT = 5 minutes;
	/// @notice Percent of a stake that a slash takes (deployed).
	uint256 public constant SLASH_PERCENTAGE = 10;
	/// @notice Upheld violations for each slash (deployed).
	uint256 public constant MAX_VIOLATIONS = 5;
	/// @notice Reputation of a wallet at first, at most, below which (and at which) it may not register a node, and what an
	/// upheld violation costs (deployed).
	uint256 public constant INITIAL_REPUTATION = 50;
	uint256 internal constant MAX_REPUTATION = 100;
	uint256 internal constant LOW_REPUTATION = 10;
	uint256 internal constant VIOLATION_COST = 5;
	/// @notice Ids a wallet may ever have: what blacklistNode walks through. Ours.
	uint256 internal constant MAX_NODES_PER_WALLET = 64;
	/// @notice Instances that registerNodeWithId tries (seed 000: at most 10 nodes a machine).
	uint256 internal constant MAX_INSTANCE = 10;
	/// @notice Bytes of an endpoint. Ours; the longest DNS name is 253.
	uint256 internal constant MAX_ENDPOINT = 512;

	address public registry;
	uint256 public totalRelayNodes;
	uint256 internal _ids;
	bytes32[] internal _active;
	mapping(bytes32 nodeId => Node node) internal _nodes;
	mapping(address wallet => Wallet data) internal _wallets;
	/// @notice The ids of a wallet; the ids that were registered for a machine (seed 000), those that are off included.
	mapping(address wallet => bytes32[] nodeIds) public walletNodeIds;
	mapping(bytes32 machine => bytes32[] nodeIds) public machineNodeIds;

	event NodeIdentityRegistered(
		bytes32 indexed nodeId, address indexed wallet, bytes32 machineIdHash, uint256 instanceNumber, uint256 timestamp
	);
	event NodeIdentityDeactivated(bytes32 indexed nodeId, address indexed wallet, uint256 timestamp);
	event NodeHeartbeatByNodeId(bytes32 indexed nodeId, uint256 uptimeSeconds, NodeTier tier);
	event TierChanged(bytes32 indexed nodeId, NodeTier oldTier, NodeTier newTier);
	event EndpointUpdated(bytes32 indexed nodeId, address indexed wallet, string newEndpoint);
	event StakeReturned(bytes32 indexed nodeId, address indexed wallet, uint256 amount);
	event StakeWaitsForChallenges(bytes32 indexed nodeId, uint256 stake, uint256 openChallenges);
	event NodeSlashed(address indexed node, uint256 amount, string reason);
	event NodeStakeSlashed(bytes32 indexed nodeId, uint256 amount, uint256 left);
	event ReputationChanged(address indexed node, uint256 oldScore, uint256 newScore);
	event RegistryChanged(address indexed oldRegistry, address indexed newRegistry);

	error RegisterYourIdentityFirst(address registry);
	error WalletIsBlacklisted(address wallet);
	error ReputationTooLowToRegister(uint256 reputation, uint256 mustExceed);
	error NodeIdNotYoursDeriveItWithNodeIdOf(bytes32 nodeId);
	error NodeIsAlreadyActive(bytes32 nodeId);
	error WithdrawTheOldStakeFirst(bytes32 nodeId, uint256 stake);
	error EndpointMustBe1To512Bytes(uint256 length);
	error StorageTooSmallForTier(uint256 offeredMB, uint256 neededMB);
	error TooManyNodesForThisWallet(uint256 most);
	error OnlyTheNodesWalletMayCallThis(address wallet);
	error NodeIsNotActive(bytes32 nodeId);
	error NothingIsStaked(bytes32 nodeId);
	error AnswerOpenChallengesFirst(uint256 open);

	modifier onlyRegistered() {
		if (!IIdentities(registry).isRegistered(msg.sender)) revert RegisterYourIdentityFirst(registry);
		_;
	}

	constructor(address registry_) {
		if (registry_ == address(0)) revert GiveAnAddress();
		registry = registry_;
	}

	// -- ids ---------------------------------------------------------------------------------------------------------

	/// @notice A node's id: SHA-256("node" | wallet, 20 bytes | machine id hash, 32 | instance, 4 big-endian | salt, 32).
	/// @dev The wallet is in the id, so nobody else can register it. Deployed, whoever came first took any id.
	function nodeIdOf(address wallet, bytes32 machine, uint32 instance, bytes32 salt) public pure returns (bytes32) {
		return sha256(abi.encodePacked("node", wallet, machine, instance, salt));
	}

	// -- life --------------------------------------------------------------------------------------------------------

	/// @notice Registers a node and takes its stake, which must be approved first (deployed; seeds 000 and 002).
	/// @param nodeId nodeIdOf(caller, machineIdHash, 1 to 10, 0); with a salt use registerNodeWithSalt.
	function registerNodeWithId(
		bytes32 nodeId,
		bytes32 machineIdHash_,
		bytes32 serialHash,
		string calldata endpoint,
		uint256 storageMB,
		NodeTier tier
	) external nonReentrant onlyRegistered {
		uint32 instance = 1;
		while (nodeId != nodeIdOf(msg.sender, machineIdHash_, instance, 0)) {
			if (++instance > MAX_INSTANCE) revert NodeIdNotYoursDeriveItWithNodeIdOf(nodeId);
		}
		_register(nodeId, machineIdHash_, serialHash, endpoint, storageMB, tier);
	}

	/// @notice The same with any instance and a salt of one's own (FEATURES K4); returns the id.
	function registerNodeWithSalt(
		bytes32 salt,
		uint32 instance,
		bytes32 machineIdHash_,
		bytes32 serialHash,
		string calldata endpoint,
		uint256 storageMB,
		NodeTier tier
	) external nonReentrant onlyRegistered returns (bytes32 nodeId) {
		nodeId = nodeIdOf(msg.sender, machineIdHash_, instance, salt);
		_register(nodeId, machineIdHash_, serialHash, endpoint, storageMB, tier);
	}

	function _register(
		bytes32 nodeId,
		bytes32 machine,
		bytes32 serial,
		string calldata endpoint,
		uint256 storageMB,
		NodeTier tier
	) private {
		Node storage node = _nodes[nodeId];
		_checkMayRegister(nodeId, node);
		_checkEndpoint(endpoint);
		if (storageMB < getStorageForTier(tier)) revert StorageTooSmallForTier(storageMB, getStorageForTier(tier));
		if (node.wallet == address(0)) { // an id that was off comes back into the lists it is in
			if (walletNodeIds[msg.sender].length >= MAX_NODES_PER_WALLET) {
				revert TooManyNodesForThisWallet(MAX_NODES_PER_WALLET);
			}
			++_ids;
			node.wallet = msg.sender;
			node.machine = machine;
			walletNodeIds[msg.sender].push(nodeId);
			machineNodeIds[machine].push(nodeId);
			node.instance = uint32(machineNodeIds[machine].length);
		}
		uint256 stake = getStakeForTier(tier);
		node.registeredAt = uint40(block.timestamp);
		node.tier = tier;
		node.stake = uint128(stake);
		node.lastHeartbeat = uint40(block.timestamp);
		node.serial = serial;
		node.storageMB = storageMB > type(uint32).max ? type(uint32).max : uint32(storageMB);
		node.endpoint = endpoint;
		totalStaked += stake;
		_on(nodeId, node);
		emit NodeIdentityRegistered(nodeId, msg.sender, machine, node.instance, block.timestamp);
		_pullWhole(stake);
		TOKEN.setActiveRelayCount(totalRelayNodes);
	}

	function _checkMayRegister(bytes32 nodeId, Node storage node) private view {
		Wallet storage wallet = _wallets[msg.sender];
		if (wallet.blacklisted) revert WalletIsBlacklisted(msg.sender);
		if (_reputation(wallet) <= LOW_REPUTATION) revert ReputationTooLowToRegister(_reputation(wallet), LOW_REPUTATION);
		if (node.active) revert NodeIsAlreadyActive(nodeId);
		if (node.openChallenges != 0) revert AnswerOpenChallengesFirst(node.openChallenges);
		if (node.stake != 0) revert WithdrawTheOldStakeFirst(nodeId, node.stake);
	}

	function _checkEndpoint(string calldata endpoint) private pure {
		uint256 length = bytes(endpoint).length;
		if (length == 0 || length > MAX_ENDPOINT) revert EndpointMustBe1To512Bytes(length);
	}

	/// @notice Says that the node lives. A gap of at most HEARTBEAT_TIMEOUT since the last one counts as uptime of the day it
	/// ends in; the tier follows from the day's uptime.
	function heartbeatByNodeId(bytes32 nodeId) external {
		_ownNode(nodeId);
		Node storage node = _activeNode(nodeId);
		uint32 today = uint32(block.timestamp / 1 days);
		uint256 uptime = node.uptimeDay == today ? node.dayUptime : 0;
		uint256 gap = block.timestamp - node.lastHeartbeat;
		if (gap <= HEARTBEAT_TIMEOUT) uptime += gap;
		node.uptimeDay = today;
		node.dayUptime = uint32(uptime);
		node.lastHeartbeat = uint40(block.timestamp);
		NodeTier tier = NodeTier.Bronze;
		if (uptime >= getUptimeForTier(NodeTier.Silver)) tier = _tierFor(uptime, node.storageMB, node.stake);
		if (tier != node.tier) {
			emit TierChanged(nodeId, node.tier, tier);
			node.tier = tier;
		}
		emit NodeHeartbeatByNodeId(nodeId, uptime, tier);
	}

	/// @notice Takes the node off, if it is on, and returns what is left of its stake; while challenges are open, the stake waits:
	/// call again when they are answered or settled.
	function deactivateNodeById(bytes32 nodeId) external nonReentrant {
		Node storage node = _ownNode(nodeId);
		bool was = node.active;
		if (was) _off(nodeId, node);
		uint256 stake = node.stake;
		if (node.openChallenges != 0) {
			if (!was) revert AnswerOpenChallengesFirst(node.openChallenges);
			emit StakeWaitsForChallenges(nodeId, stake, node.openChallenges);
			TOKEN.setActiveRelayCount(totalRelayNodes);
			return;
		}
		if (stake == 0) revert NothingIsStaked(nodeId);
		node.stake = 0;
		totalStaked -= stake;
		emit StakeReturned(nodeId, msg.sender, stake);
		if (was) TOKEN.setActiveRelayCount(totalRelayNodes);
		_pay(msg.sender, stake);
	}

	function updateEndpoint(bytes32 nodeId, string calldata newEndpoint) external {
		_ownNode(nodeId);
		_checkEndpoint(newEndpoint);
		_activeNode(nodeId).endpoint = newEndpoint;
		emit EndpointUpdated(nodeId, msg.sender, newEndpoint);
	}

	function _on(bytes32 nodeId, Node storage node) private {
		Wallet storage wallet = _wallets[node.wallet];
		node.active = true;
		node.place = uint32(_active.length);
		_active.push(nodeId);
		if (wallet.activeNodes++ == 0) wallet.activeSince = uint40(block.timestamp);
		++totalRelayNodes;
	}

	/// @dev The caller tells the token afterwards.
	function _off(bytes32 nodeId, Node storage node) internal {
		Wallet storage wallet = _wallets[node.wallet];
		bytes32 last = _active[_active.length - 1];
		_active[node.place] = last;
		_nodes[last].place = node.place;
		_active.pop();
		node.active = false;
		if (--wallet.activeNodes == 0) wallet.activeSince = 0;
		--totalRelayNodes;
		emit NodeIdentityDeactivated(nodeId, node.wallet, block.timestamp);
	}

	function _ownNode(bytes32 nodeId) internal view returns (Node storage node) {
		node = _nodes[nodeId];
		if (node.wallet != msg.sender) revert OnlyTheNodesWalletMayCallThis(node.wallet);
	}

	function _activeNode(bytes32 nodeId) internal view returns (Node storage node) {
		node = _nodes[nodeId];
		if (!node.active) revert NodeIsNotActive(nodeId);
	}

	// -- punishment --------------------------------------------------------------------------------------------------

	/// @dev Takes SLASH_PERCENTAGE of the stake, for the relays' fee pool; a node below the lowest stake goes off.
	function _slash(bytes32 nodeId, string memory reason) internal {
		Node storage node = _nodes[nodeId];
		uint256 amount = (uint256(node.stake) * SLASH_PERCENTAGE) / 100;
		uint256 left = node.stake - amount;
		node.stake = uint128(left);
		totalStaked -= amount;
		emit NodeSlashed(node.wallet, amount, reason);
		emit NodeStakeSlashed(nodeId, amount, left);
		if (node.active && left < getStakeForTier(NodeTier.Bronze)) {
			_off(nodeId, node);
			TOKEN.setActiveRelayCount(totalRelayNodes);
		}
		if (amount != 0) TOKEN.addToFeePool(amount);
	}

	function _reputation(Wallet storage wallet) internal view returns (uint256) {
		return wallet.seen ? wallet.reputation : INITIAL_REPUTATION;
	}

	function _setReputation(address account, uint256 score) internal {
		Wallet storage wallet = _wallets[account];
		emit ReputationChanged(account, _reputation(wallet), score);
		wallet.reputation = uint8(score);
		wallet.seen = true;
	}

	// -- what the token asks -----------------------------------------------------------------------------------------

	/// @inheritdoc IRelays
	function feeMultiplierOf(address account) external view returns (uint256 best) {
		if (_wallets[account].activeNodes == 0) return 0;
		bytes32[] storage ids = walletNodeIds[account];
		for (uint256 i = 0; i < ids.length; ++i) {
			Node storage node = _nodes[ids[i]];
			uint256 multiplier = getMultiplierForTier(node.tier);
			if (node.active && _isOnline(node) && multiplier > best) best = multiplier;
		}
	}

	/// @inheritdoc IRelays
	function activeSince(address account) external view returns (uint256) {
		return _wallets[account].activeSince;
	}

	/// @notice Seconds of uptime counted today; 0 before the day's first heartbeat (deployed: yesterday's figure until then).
	function getUptimeToday(bytes32 nodeId) public view returns (uint256) {
		return _nodes[nodeId].uptimeDay == block.timestamp / 1 days ? _nodes[nodeId].dayUptime : 0;
	}

	function _isOnline(Node storage node) internal view returns (bool) {
		return node.active && block.timestamp - node.lastHeartbeat <= HEARTBEAT_TIMEOUT;
	}

	// -- settings ----------------------------------------------------------------------------------------------------

	/// @notice Where identities are looked up. It decides who may register, report and challenge; never who gets a stake.
	function setRegistry(address newRegistry) external onlyOwner {
		if (newRegistry == address(0)) revert GiveAnAddress();
		emit RegistryChanged(registry, newRegistry);
		registry = newRegistry;
	}
}
