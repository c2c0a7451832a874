// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IRelays} from "./IRelays.sol";

/// @title The vote of the relays on the token's cap (FEATURES 1.3: 90 % yes, 7 days, half of the relays take part)
/// @dev One vote a wallet, and only of wallets whose node was staked before the proposal: deployed, anyone who held 100 MCT
/// could vote, pass the 100 MCT on, and vote again. The quorum is of the relays at the time of the proposal.
abstract contract MaxSupplyVote {
	struct Proposal {
		uint256 newMaxSupply;
		uint64 startTime;
		uint64 endTime;
		uint32 yesVotes;
		uint32 noVotes;
		uint32 relays;
		bool executed;
	}

	/// @notice The cap at the beginning, and the highest that a vote may reach (deployed V3).
	uint256 public constant INITIAL_MAX_SUPPLY = 1_000_000e18;
	uint256 public constant ABSOLUTE_MAX_SUPPLY = 10_000_000e18;
	/// @notice Percent of yes that a proposal needs (deployed V3).
	uint256 public constant GOVERNANCE_THRESHOLD = 90;
	/// @notice Percent of the relays that must have voted (deployed V3).
	uint256 public constant PARTICIPATION = 50;
	uint256 public constant VOTING_PERIOD = 7 days;

	uint256 public maxSupply = INITIAL_MAX_SUPPLY;
	uint256 public proposalCount;
	mapping(uint256 id => Proposal proposal) public proposals;
	mapping(uint256 id => mapping(address voter => bool voted)) public hasVoted;

	event ProposalCreated(uint256 indexed proposalId, uint256 newMaxSupply, address proposer);
	event VoteCast(uint256 indexed proposalId, address indexed voter, bool support);
	event ProposalExecuted(uint256 indexed proposalId, uint256 newMaxSupply);
	event MaxSupplyChanged(uint256 oldMaxSupply, uint256 newMaxSupply);

	error OnlyWalletsWithAnActiveNodeMayDoThis(address caller);
	error StakedOnlyAfterTheProposal(uint256 since, uint256 proposed);
	error CapMustBeAboveSupplyAndAtMost(uint256 supply, uint256 most);
	error VotingIsOver(uint256 since);
	error VotingGoesOnUntil(uint256 until);
	error AlreadyVoted();
	error AlreadyExecuted();
	error NoSuchProposal(uint256 id);
	error TooFewVotes(uint256 votes, uint256 needed);
	error TooFewYes(uint256 percent, uint256 needed);

	function proposeMaxSupplyChange(uint256 newMaxSupply) external returns (uint256 id) {
		if (_relays().activeSince(msg.sender) == 0) revert OnlyWalletsWithAnActiveNodeMayDoThis(msg.sender);
		_checkCap(newMaxSupply);
		id = ++proposalCount;
		proposals[id] = Proposal({
			newMaxSupply: newMaxSupply,
			startTime: uint64(block.timestamp),
			endTime: uint64(block.timestamp + VOTING_PERIOD),
			yesVotes: 0,
			noVotes: 0,
			relays: uint32(_relayCount()),
			executed: false
		});
		emit ProposalCreated(id, newMaxSupply, msg.sender);
	}

	function vote(uint256 proposalId, bool support) external {
		Proposal storage p = _proposal(proposalId);
		if (block.timestamp > p.endTime) revert VotingIsOver(p.endTime);
		if (hasVoted[proposalId][msg.sender]) revert AlreadyVoted();
		uint256 since = _relays().activeSince(msg.sender);
		if (since == 0) revert OnlyWalletsWithAnActiveNodeMayDoThis(msg.sender);
		if (since > p.startTime) revert StakedOnlyAfterTheProposal(since, p.startTime);
		hasVoted[proposalId][msg.sender] = true;
		if (support) ++p.yesVotes;
		else ++p.noVotes;
		emit VoteCast(proposalId, msg.sender, support);
	}

	function executeProposal(uint256 proposalId) external {
		Proposal storage p = _proposal(proposalId);
		if (p.executed) revert AlreadyExecuted();
		if (block.timestamp <= p.endTime) revert VotingGoesOnUntil(p.endTime);
		uint256 votes = uint256(p.yesVotes) + p.noVotes;
		uint256 needed = (uint256(p.relays) * PARTICIPATION + 99) / 100;
		if (votes == 0 || votes < needed) revert TooFewVotes(votes, needed);
		uint256 percent = (uint256(p.yesVotes) * 100) / votes;
		if (percent < GOVERNANCE_THRESHOLD) revert TooFewYes(percent, GOVERNANCE_THRESHOLD);
		_checkCap(p.newMaxSupply);
		p.executed = true;
		emit MaxSupplyChanged(maxSupply, p.newMaxSupply);
		maxSupply = p.newMaxSupply;
		emit ProposalExecuted(proposalId, p.newMaxSupply);
	}

	function getProposal(uint256 proposalId)
		external
		view
		returns (
			uint256 newMaxSupply,
			uint256 startTime,
			uint256 endTime,
			uint256 yesVotes,
			uint256 noVotes,
			bool executed,
			bool votingActive
		)
	{
		Proposal storage p = proposals[proposalId];
		return (
			p.newMaxSupply,
			p.startTime,
			p.endTime,
			p.yesVotes,
			p.noVotes,
			p.executed,
			p.startTime != 0 && block.timestamp <= p.endTime
		);
	}

	function _proposal(uint256 id) private view returns (Proposal storage p) {
		p = proposals[id];
		if (p.startTime == 0) revert NoSuchProposal(id);
	}

	function _checkCap(uint256 cap) private view {
		if (cap <= _supply() || cap > ABSOLUTE_MAX_SUPPLY) revert CapMustBeAboveSupplyAndAtMost(_supply(), ABSOLUTE_MAX_SUPPLY);
	}

	function _relays() internal view virtual returns (IRelays);
	function _relayCount() internal view virtual returns (uint256);
	function _supply() internal view virtual returns (uint256);
}
