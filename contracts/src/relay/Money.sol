// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Ownable, Ownable2Step} from "@openzeppelin/contracts/access/Ownable2Step.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ReentrancyGuard} from "@openzeppelin/contracts/utils/ReentrancyGuard.sol";

/// @notice What RelayManager asks of the token beyond ERC-20.
interface IRelayToken is IERC20 {
	function addToFeePool(uint256 amount) external;
	function setActiveRelayCount(uint256 count) external;
}

/// @title The tokens that RelayManager holds, and for whom
/// @dev Always: balance >= totalStaked + totalBonds + rewardReserve. Each token that comes in is counted as what arrived, not
/// as what was sent, because the token takes a fee from whoever is not exempt; rewards are paid from the reserve and never
/// from somebody's stake. The token cannot be exchanged for another once there are stakes in it.
abstract contract Money is Ownable2Step, ReentrancyGuard {
	using SafeERC20 for IRelayToken;

	IRelayToken internal immutable TOKEN;

	/// @notice Stakes of all nodes, of those that are off and not yet withdrawn too.
	uint256 public totalStaked;
	/// @notice Bonds of open reports and challenges.
	uint256 public totalBonds;
	/// @notice What rewards are paid from.
	uint256 public rewardReserve;

	event RewardsFunded(address indexed from, uint256 amount, uint256 reserve);
	event ExcessWithdrawn(address indexed to, uint256 amount);

	error ArrivedShortAskTheTokenOwnerForFeeExemption(uint256 arrived, uint256 needed);
	error OnlyTheExcessMayBeWithdrawn(uint256 excess);
	error GiveAnAddress();

	constructor(address token, address initialOwner) Ownable(initialOwner) {
		if (token == address(0)) revert GiveAnAddress();
		TOKEN = IRelayToken(token);
	}

	function mctToken() external view returns (address) {
		return address(TOKEN);
	}

	/// @notice Adds to what rewards are paid from. Anybody may.
	function fundRewards(uint256 amount) external nonReentrant {
		uint256 arrived = _pull(amount);
		rewardReserve += arrived;
		emit RewardsFunded(msg.sender, arrived, rewardReserve);
	}

	/// @notice Everything that is owed to somebody, or reserved for rewards.
	function totalOwed() public view returns (uint256) {
		return totalStaked + totalBonds + rewardReserve;
	}

	/// @notice Tokens that were sent here by mistake: what is held beyond totalOwed() (deployed: anything, stakes included).
	function withdrawExcessMCT(uint256 amount) external onlyOwner nonReentrant {
		uint256 excess = TOKEN.balanceOf(address(this)) - totalOwed();
		if (amount > excess) revert OnlyTheExcessMayBeWithdrawn(excess);
		emit ExcessWithdrawn(owner(), amount);
		TOKEN.safeTransfer(owner(), amount);
	}

	/// @dev Takes tokens from the caller; what arrived is what counts.
	function _pull(uint256 amount) internal returns (uint256 arrived) {
		uint256 before = TOKEN.balanceOf(address(this));
		TOKEN.safeTransferFrom(msg.sender, address(this), amount);
		arrived = TOKEN.balanceOf(address(this)) - before;
	}

	/// @dev The same for a stake or a bond, which must arrive whole.
	function _pullWhole(uint256 amount) internal {
		uint256 arrived = _pull(amount);
		if (arrived != amount) revert ArrivedShortAskTheTokenOwnerForFeeExemption(arrived, amount);
	}

	function _pay(address to, uint256 amount) internal {
		TOKEN.safeTransfer(to, amount);
	}
}
