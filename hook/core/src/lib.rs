//! The hook's logic: modes, fd table, scanner, words.
