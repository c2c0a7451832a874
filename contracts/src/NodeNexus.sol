// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Ownable, Ownable2Step} from "@openzeppelin/contracts/access/Ownable2Step.sol";
import {Address} from "@openzeppelin/contracts/utils/Address.sol";
import {ReentrancyGuard} from "@openzeppelin/contracts/utils/ReentrancyGuard.sol";

/// @title Backbone and light nodes by region (seed 004, FEATURES 1.6)
/// @notice A registration is of an operator for a peer id: an ML-DSA-87 key cannot be proven here, so others may list the same
/// peer id under their own address, and nobody can take it. Who connects checks the peer's key, and its binding to the operator.
/// Backbone nodes are only of operators that the contract's owner has approved.
/// @dev Always: balance >= totalStaked. Stakes are in the chain's coin; no call of the owner moves one. Not upgradeable.
contract NodeNexus is Ownable2Step, ReentrancyGuard {
	enum NodeType {
		BACKBONE_AUTH,
		LIGHT_PRIVATE,
		LIGHT_PUBLIC
	}

	struct Node {
		bytes20 peerID;
		NodeType nodeType;
		bool active;
		uint64 lastSeen;
		uint32 place; // in its list
		string region;
		address operator;
		uint256 stake;
		uint256 bandwidthMbps;
	}

	/// @notice A light node not seen for longer is not listed (seed 004's relay document: 24 h heartbeat).
	uint256 public constant FRESH = 24 hours;
	/// @notice Bytes of a region's name. Ours.
	uint256 public constant MAX_REGION = 32;
	/// @notice The highest stake a setting may ask. Ours.
	uint256 public constant MAX_PUBLIC_STAKE = 100 ether;

	/// @notice What a public light node stakes; 0.1 of the chain's coin at first (seed 004's relay document).
	uint256 public publicStake = 0.1 ether;
	uint256 public totalStaked;
	mapping(address operator => bool approved) public isBackboneOperator;
	mapping(bytes32 key => Node node) private _nodes;
	mapping(bytes32 listKey => bytes32[] keys) private _lists; // by type and region: those that are active

	event NodeRegistered(
		bytes20 indexed peerID, address indexed operator, NodeType nodeType, string region, uint256 stake
	);
	event NodeUnregistered(bytes20 indexed peerID, address indexed operator, uint256 stake);
	event NodeSeen(bytes20 indexed peerID, address indexed operator);
	event BandwidthChanged(bytes20 indexed peerID, address indexed operator, uint256 mbps);
	event BackboneOperatorChanged(address indexed operator, bool approved);
	event PublicStakeChanged(uint256 oldStake, uint256 newStake);

	error PeerIdMustNotBeZero();
	error RegionMustBe1To32LettersDigitsOrUnderscores(string region);
	error AlreadyRegisteredUnregisterFirst(bytes20 peerID);
	error NotRegisteredByYou(bytes20 peerID);
	error SendExactlyTheStake(uint256 sent, uint256 needed);
	error OnlyApprovedOperatorsRunABackbone(address operator);
	error StakeAboveMaximum(uint256 most);

	constructor(address initialOwner) Ownable(initialOwner) {}

	// -- life --------------------------------------------------------------------------------------------------------

	/// @notice Registers a node (seed 004). A public light node sends publicStake, the others nothing.
	function registerNode(bytes20 peerID, NodeType nodeType, string calldata region) external payable {
		_register(peerID, nodeType, region, 0);
	}

	/// @notice The same with the bandwidth that it offers.
	function registerNode(bytes20 peerID, NodeType nodeType, string calldata region, uint256 bandwidthMbps)
		external
		payable
	{
		_register(peerID, nodeType, region, bandwidthMbps);
	}

	function _register(bytes20 peerID, NodeType nodeType, string calldata region, uint256 mbps) private {
		bytes32 key = _key(peerID, msg.sender);
		if (peerID == 0) revert PeerIdMustNotBeZero();
		_checkRegion(region);
		if (_nodes[key].active) revert AlreadyRegisteredUnregisterFirst(peerID);
		if (nodeType == NodeType.BACKBONE_AUTH && !isBackboneOperator[msg.sender]) {
			revert OnlyApprovedOperatorsRunABackbone(msg.sender);
		}
		uint256 needed = nodeType == NodeType.LIGHT_PUBLIC ? publicStake : 0;
		if (msg.value != needed) revert SendExactlyTheStake(msg.value, needed);
		bytes32[] storage list = _lists[_listKey(nodeType, region)];
		_nodes[key] = Node({
			peerID: peerID,
			nodeType: nodeType,
			active: true,
			lastSeen: uint64(block.timestamp),
			place: uint32(list.length),
			region: region,
			operator: msg.sender,
			stake: needed,
			bandwidthMbps: mbps
		});
		list.push(key);
		totalStaked += needed;
		emit NodeRegistered(peerID, msg.sender, nodeType, region, needed);
	}

	/// @notice Takes the node off and returns its stake.
	function unregisterNode(bytes20 peerID) external nonReentrant {
		Node storage node = _own(peerID);
		uint256 stake = node.stake;
		bytes32[] storage list = _lists[_listKey(node.nodeType, node.region)];
		bytes32 last = list[list.length - 1];
		list[node.place] = last;
		_nodes[last].place = node.place;
		list.pop();
		delete _nodes[_key(peerID, msg.sender)];
		totalStaked -= stake;
		emit NodeUnregistered(peerID, msg.sender, stake);
		if (stake != 0) Address.sendValue(payable(msg.sender), stake);
	}

	/// @notice Says that the node lives.
	function heartbeat(bytes20 peerID) external {
		_own(peerID).lastSeen = uint64(block.timestamp);
		emit NodeSeen(peerID, msg.sender);
	}

	function setBandwidth(bytes20 peerID, uint256 mbps) external {
		_own(peerID).bandwidthMbps = mbps;
		emit BandwidthChanged(peerID, msg.sender, mbps);
	}

	// -- what it says ------------------------------------------------------------------------------------------------

	/// @notice All backbone nodes of a region whose operator is approved still; an unknown region has none.
	function getBackboneNodes(string calldata region) external view returns (bytes20[] memory) {
		return _list(NodeType.BACKBONE_AUTH, region, type(uint256).max);
	}

	/// @notice Up to count public light nodes of a region that were seen within FRESH.
	function getPublicLightNodes(string calldata region, uint256 count) external view returns (bytes20[] memory) {
		return _list(NodeType.LIGHT_PUBLIC, region, count);
	}

	function getNode(bytes20 peerID, address operator) external view returns (Node memory) {
		return _nodes[_key(peerID, operator)];
	}

	function _list(NodeType nodeType, string calldata region, uint256 most) private view returns (bytes20[] memory ids) {
		bytes32[] storage list = _lists[_listKey(nodeType, region)];
		uint256 count = 0;
		ids = new bytes20[](list.length < most ? list.length : most);
		for (uint256 i = 0; i < list.length && count < ids.length; ++i) {
			Node storage node = _nodes[list[i]];
			bool listed = nodeType == NodeType.BACKBONE_AUTH
				? isBackboneOperator[node.operator]
				: block.timestamp - node.lastSeen <= FRESH;
			if (listed) ids[count++] = node.peerID;
		}
		// solhint-disable-next-line no-inline-assembly
		assembly ("memory-safe") { // shortens the array to what was found
			mstore(ids, count)
		}
	}

	function _own(bytes20 peerID) private view returns (Node storage node) {
		node = _nodes[_key(peerID, msg.sender)];
		if (!node.active) revert NotRegisteredByYou(peerID);
	}

	function _key(bytes20 peerID, address operator) private pure returns (bytes32) {
		return keccak256(abi.encodePacked(peerID, operator));
	}

	function _listKey(NodeType nodeType, string memory region) private pure returns (bytes32) {
		return keccak256(abi.encode(nodeType, region));
	}

	function _checkRegion(string calldata region) private pure {
		bytes calldata text = bytes(region);
		bool good = text.length != 0 && text.length <= MAX_REGION;
		for (uint256 i = 0; good && i < text.length; ++i) {
			good = (text[i] >= "a" && text[i] <= "z") || (text[i] >= "0" && text[i] <= "9") || text[i] == "_";
		}
		if (!good) revert RegionMustBe1To32LettersDigitsOrUnderscores(region);
	}

	// -- settings ----------------------------------------------------------------------------------------------------

	function setBackboneOperator(address operator, bool approved) external onlyOwner {
		isBackboneOperator[operator] = approved;
		emit BackboneOperatorChanged(operator, approved);
	}

	/// @notice What later public light nodes stake.
	function setPublicStake(uint256 newStake) external onlyOwner {
		if (newStake > MAX_PUBLIC_STAKE) revert StakeAboveMaximum(MAX_PUBLIC_STAKE);
		emit PublicStakeChanged(publicStake, newStake);
		publicStake = newStake;
	}
}
