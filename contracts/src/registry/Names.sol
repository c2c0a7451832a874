// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title Names of 3 to 32 characters (seed 002)
/// @dev A character is a Unicode code point in UTF-8. What cannot be UTF-8 by its lead and following bytes is refused, and so are
/// the control characters (U+0000 to U+001F, U+007F to U+009F), which would garble a terminal.
library Names {
	uint256 internal constant MIN_CHARACTERS = 3;
	uint256 internal constant MAX_CHARACTERS = 32;

	error NameMustHave3To32Characters(uint256 characters);
	error NameIsNotPlainUtf8(uint256 position);

	function check(string calldata name) internal pure {
		bytes calldata text = bytes(name);
		uint256 characters = 0;
		if (text.length > 4 * MAX_CHARACTERS) revert NameMustHave3To32Characters(text.length);
		for (uint256 i = 0; i < text.length; ++characters) {
			uint256 length = _length(uint8(text[i]));
			if (length == 0 || i + length > text.length) revert NameIsNotPlainUtf8(i);
			for (uint256 k = 1; k < length; ++k) {
				if (uint8(text[i + k]) & 0xc0 != 0x80) revert NameIsNotPlainUtf8(i + k);
			}
			if (text[i] == 0xc2 && uint8(text[i + 1]) < 0xa0) revert NameIsNotPlainUtf8(i);
			i += length;
		}
		if (characters < MIN_CHARACTERS || characters > MAX_CHARACTERS) revert NameMustHave3To32Characters(characters);
	}

	/// @dev How many bytes a character that begins with this byte has; 0 when none may.
	function _length(uint8 lead) private pure returns (uint256) {
		if (lead < 0x20 || lead == 0x7f) return 0;
		if (lead < 0x80) return 1;
		if (lead < 0xc2) return 0;
		if (lead < 0xe0) return 2;
		if (lead < 0xf0) return 3;
		return lead < 0xf5 ? 4 : 0;
	}
}
