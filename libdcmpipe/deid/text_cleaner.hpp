#pragma once

#include "deid/identity.hpp"

#include <set>
#include <string>
#include <string_view>

namespace dcmpipe::deid {

/// Words that may stay in a description, in lower case; empty: every word that names nobody may.
using Vocabulary = std::set<std::string, std::less<>>;

/// Reads a vocabulary: a word a line, `#` starts a comment. Throws Error{Usage}.
Vocabulary read_vocabulary(const std::string& path);

/// Takes out of a text (UTF-8) what may name somebody and leaves the rest readable: the people of the
/// instance, titles with the name behind them, dates, telephone and other long numbers, addresses of mail
/// and web, UIDs. A surname that is also a disease or a body part stays where nothing around it makes it a
/// name. Pure.
std::string cleaned(std::string_view text, const Identity& identity, const Vocabulary& vocabulary);

} // namespace dcmpipe::deid
