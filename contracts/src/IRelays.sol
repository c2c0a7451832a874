// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title What the token asks RelayManager
interface IRelays {
	/// @notice The fee-pool multiplier (100 to 300) of the wallet's best active node; 0 when it has none.
	function feeMultiplierOf(address wallet) external view returns (uint256);

	/// @notice Since when the wallet has had at least one active node without a break (unix seconds); 0 when it has none.
	function activeSince(address wallet) external view returns (uint256);
}
