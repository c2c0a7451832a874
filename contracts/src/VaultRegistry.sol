// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Ownable, Ownable2Step} from "@openzeppelin/contracts/access/Ownable2Step.sol";

/// @title Storage nodes: their key, address and version (seed 003, FEATURES 1.5 "Registry ABI")
/// @notice An owner has one node. Ids are made of key and owner: an Ed25519 key cannot be proven here at a sane price, and with
/// ids of the key alone whoever came first took another's. The incentives of seed 003's code are not here, because they pay for
/// a signature that needs no stored byte; RelayManager's challengeNode asks for bytes.
contract VaultRegistry is Ownable2Step {
	struct Node {
		address owner;
		bytes publicKey;
		string url;
		bytes32 metadataHash;
		uint256 registeredAt;
		bool active;
	}

	/// @notice Bytes of a key (Ed25519: 32; room for ML-DSA-87's 2,592) and of a URL. Ours.
	uint256 public constant MAX_PUBLIC_KEY = 2592;
	uint256 public constant MAX_URL = 512;
	/// @notice Copies of a blob; 3 at first (seed 003's code), at most 32, ours.
	uint256 public constant MAX_REPLICATION = 32;

	uint256 public replicationFactor = 3;
	/// @notice Nodes below it should not serve.
	string public minVersion = "0.0.0";
	bytes32[] private _all;
	bytes32[] private _active;
	mapping(bytes32 nodeId => uint256 place) private _place; // in _active, from 0
	mapping(bytes32 nodeId => Node node) private _nodes;
	mapping(address owner => bytes32 nodeId) private _nodeOf;

	event NodeRegistered(bytes32 indexed nodeId, address indexed owner);
	event NodeUpdated(bytes32 indexed nodeId, string url, bytes32 metadataHash);
	event NodeUnregistered(bytes32 indexed nodeId);
	event NodeDeactivated(bytes32 indexed nodeId);
	event MinVersionUpdated(string version);
	event ReplicationFactorUpdated(uint256 newFactor);

	error PublicKeyMustBe1To2592Bytes(uint256 length);
	error UrlMustBe1To512Bytes(uint256 length);
	error UnregisterYourOtherNodeFirst(bytes32 nodeId);
	error YouHaveNoActiveNode(address owner);
	error NodeIsNotActive(bytes32 nodeId);
	error FactorMustBe1To32(uint256 given);
	error VersionMustBeThreeNumbersWithDots(string given);

	constructor(address initialOwner) Ownable(initialOwner) {}

	/// @notice A node's id: keccak256(public key | owner, 20 bytes).
	function nodeIdOf(bytes calldata publicKey, address owner) public pure returns (bytes32) {
		return keccak256(abi.encodePacked(publicKey, owner));
	}

	function registerNode(bytes calldata publicKey, string calldata url, bytes32 metadataHash)
		external
		returns (bytes32 nodeId)
	{
		if (publicKey.length == 0 || publicKey.length > MAX_PUBLIC_KEY) {
			revert PublicKeyMustBe1To2592Bytes(publicKey.length);
		}
		_checkUrl(url);
		bytes32 other = _nodeOf[msg.sender];
		if (_nodes[other].active) revert UnregisterYourOtherNodeFirst(other);
		nodeId = nodeIdOf(publicKey, msg.sender);
		if (_nodes[nodeId].owner == address(0)) _all.push(nodeId);
		_nodes[nodeId] = Node(msg.sender, publicKey, url, metadataHash, block.timestamp, true);
		_nodeOf[msg.sender] = nodeId;
		_place[nodeId] = _active.length;
		_active.push(nodeId);
		emit NodeRegistered(nodeId, msg.sender);
	}

	function updateNode(string calldata url, bytes32 metadataHash) external {
		bytes32 nodeId = _own();
		_checkUrl(url);
		_nodes[nodeId].url = url;
		_nodes[nodeId].metadataHash = metadataHash;
		emit NodeUpdated(nodeId, url, metadataHash);
	}

	function unregisterNode() external {
		bytes32 nodeId = _own();
		_off(nodeId);
		emit NodeUnregistered(nodeId);
	}

	/// @notice Takes a node off against its owner's will; the owner may register again.
	function deregisterNode(bytes32 nodeId) external onlyOwner {
		if (!_nodes[nodeId].active) revert NodeIsNotActive(nodeId);
		_off(nodeId);
	}

	function _off(bytes32 nodeId) private {
		uint256 place = _place[nodeId];
		bytes32 last = _active[_active.length - 1];
		_active[place] = last;
		_place[last] = place;
		_active.pop();
		delete _place[nodeId];
		_nodes[nodeId].active = false;
		emit NodeDeactivated(nodeId);
	}

	function _own() private view returns (bytes32 nodeId) {
		nodeId = _nodeOf[msg.sender];
		if (!_nodes[nodeId].active) revert YouHaveNoActiveNode(msg.sender);
	}

	function _checkUrl(string calldata url) private pure {
		if (bytes(url).length == 0 || bytes(url).length > MAX_URL) revert UrlMustBe1To512Bytes(bytes(url).length);
	}

	// -- what it says ------------------------------------------------------------------------------------------------

	function getNode(bytes32 nodeId) external view returns (Node memory) {
		return _nodes[nodeId];
	}

	function isNodeActive(bytes32 nodeId) external view returns (bool) {
		return _nodes[nodeId].active;
	}

	/// @notice The owner's last node, active or not; 0 for none.
	function getNodeByOwner(address owner) external view returns (bytes32) {
		return _nodeOf[owner];
	}

	function getActiveNodes() external view returns (bytes32[] memory) {
		return _active;
	}

	/// @notice A page of all nodes there ever were.
	function getAllNodes(uint256 offset, uint256 limit) external view returns (bytes32[] memory page) {
		uint256 count = offset < _all.length ? _all.length - offset : 0;
		if (count > limit) count = limit;
		page = new bytes32[](count);
		for (uint256 i = 0; i < count; ++i) page[i] = _all[offset + i];
	}

	function getNodeCount() external view returns (uint256 total, uint256 active) {
		return (_all.length, _active.length);
	}

	/// @notice What seed 003's clients ask before they submit proofs.
	function incentivesEnabled() external pure returns (bool) {
		return false;
	}

	// -- settings ----------------------------------------------------------------------------------------------------

	/// @param given three numbers with dots, as "1.4.0".
	function setMinVersion(string calldata given) external onlyOwner {
		bytes calldata text = bytes(given);
		uint256 dots = 0;
		bool digit = false;
		if (text.length > 32) revert VersionMustBeThreeNumbersWithDots(given);
		for (uint256 i = 0; i < text.length; ++i) {
			if (text[i] == "." && digit) {
				++dots;
				digit = false;
			} else if (text[i] >= "0" && text[i] <= "9") {
				digit = true;
			} else {
				revert VersionMustBeThreeNumbersWithDots(given);
			}
		}
		if (dots != 2 || !digit) revert VersionMustBeThreeNumbersWithDots(given);
		minVersion = given;
		emit MinVersionUpdated(given);
	}

	function setReplicationFactor(uint256 factor) external onlyOwner {
		if (factor == 0 || factor > MAX_REPLICATION) revert FactorMustBe1To32(factor);
		replicationFactor = factor;
		emit ReplicationFactorUpdated(factor);
	}
}
