#pragma once

namespace dcmpipe {

/// This build has a sanitizer whose shadow memory is larger than any limit on memory.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) // GCC
inline constexpr bool sanitized = true;
#elif defined(__has_feature) // clang
inline constexpr bool sanitized = __has_feature(address_sanitizer) || __has_feature(thread_sanitizer);
#else
inline constexpr bool sanitized = false;
#endif

} // namespace dcmpipe
