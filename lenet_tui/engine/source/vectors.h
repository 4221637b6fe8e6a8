// Vectors of the width that the instruction set has, with GCC's and Clang's vector extension.
//
// Everything is in an unnamed namespace: the linker must not take the AVX-512 version of a function for another one.
#pragma once

#include <cstdint>
#include <cstring>

#ifdef __SSE2__
#include <immintrin.h>
#endif

#define INLINE inline __attribute__((always_inline))
#if defined(__clang__) || __GNUC__ >= 12
#define SHUFFLE __builtin_shufflevector
#else
#define SHUFFLE(a, b, ...) __builtin_shuffle(a, b, I{__VA_ARGS__})
#endif
#define INLINED __attribute__((always_inline))  // of a lambda

namespace {

constexpr int vector_registers = REGISTERS;

typedef float V __attribute__((vector_size(LANES * 4)));                  // a float of each image
typedef int32_t I __attribute__((vector_size(LANES * 4)));                // also what comparing gives: 0 or -1
typedef uint16_t Bits;                                                        // a bit of each image
typedef float Unaligned __attribute__((vector_size(LANES * 4), aligned(4)));  // floats anywhere in memory

INLINE V splat(float x) { return x - V{}; }
INLINE V load(const float *p) { return *reinterpret_cast<const Unaligned *>(p); }
INLINE void store(float *p, V v) { *reinterpret_cast<Unaligned *>(p) = v; }
INLINE I bits(V v) { return reinterpret_cast<I>(v); }
INLINE V floats(I v) { return reinterpret_cast<V>(v); }

INLINE V load_bytes(const uint8_t *p) {
#if defined(__AVX512F__)
    return _mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i *>(p))));
#elif defined(__AVX2__)
    return _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i *>(p))));
#else
    V result;
    for (int i = 0; i < LANES; i++) result[i] = p[i];
    return result;
#endif
}

// Lane i is table[at[i]].
INLINE I gather(const int32_t *table, I at) {
#if defined(__AVX512F__)
    return (I)_mm512_i32gather_epi32((__m512i)at, table, 4);
#elif defined(__AVX2__)
    return (I)_mm256_i32gather_epi32(table, (__m256i)at, 4);
#else
    I result;
    for (int i = 0; i < LANES; i++) result[i] = table[at[i]];
    return result;
#endif
}

template <int i>
struct Number {
    INLINE constexpr operator int() const { return i; }
};
template <int... i>
struct Numbers {};
template <int n, int... i>
struct Count : Count<n - 1, n - 1, i...> {};
template <int... i>
struct Count<0, i...> {
    using type = Numbers<i...>;
};
template <class F, int... i>
INLINE void call_each(F &f, Numbers<i...>) {
    (f(Number<i>{}), ...);
}

// Call f(0) … f(n - 1) with constants, so that arrays indexed by them are registers, whatever the compiler's level.
template <int n, class F>
INLINE void each(F f) {
    call_each(f, typename Count<n>::type{});
}

// Masks: what comparing gives. Intrinsics, since from vector types GCC 12 makes three times the instructions.
#ifdef __AVX512F__
typedef __mmask16 Mask;
INLINE Mask all_images() { return 0xffff; }
INLINE Mask greater(V a, V b) { return _mm512_cmp_ps_mask(a, b, _CMP_GT_OQ); }
INLINE Mask greater_or_nan(V a, V b) { return _mm512_cmp_ps_mask(a, b, _CMP_NLE_UQ); }
INLINE Mask is_nan(V a, V b) { return _mm512_cmp_ps_mask(a, b, _CMP_UNORD_Q); }  // one of the two
INLINE Mask both(Mask a, Mask b) { return _kand_mask16(a, b); }
INLINE Mask but_not(Mask a, Mask b) { return _kandn_mask16(b, a); }
INLINE Mask either(Mask a, Mask b) { return _kor_mask16(a, b); }
INLINE V choose(Mask m, V a, V b) { return _mm512_mask_blend_ps(m, b, a); }
INLINE V keep(Mask m, V a) { return _mm512_maskz_mov_ps(m, a); }
INLINE V maximum(V a, V b) { return _mm512_max_ps(a, b); }  // b where one of them is NaN
INLINE Bits to_bits(Mask m) { return m; }
INLINE Mask from_bits(Bits b) { return b; }
#else
typedef I Mask;
INLINE Mask all_images() { return ~Mask{}; }
INLINE Mask greater(V a, V b) { return a > b; }
INLINE Mask greater_or_nan(V a, V b) { return ~(a <= b); }
INLINE Mask is_nan(V a, V b) { return (a != a) | (b != b); }
INLINE Mask both(Mask a, Mask b) { return a & b; }
INLINE Mask but_not(Mask a, Mask b) { return a & ~b; }
INLINE Mask either(Mask a, Mask b) { return a | b; }
INLINE V choose(Mask m, V a, V b) { return m ? a : b; }
INLINE V keep(Mask m, V a) { return floats(m & bits(a)); }
INLINE V maximum(V a, V b) { return a > b ? a : b; }
template <int... i>
INLINE I powers(Numbers<i...>) {
    return I{(1 << i)...};
}
INLINE Mask from_bits(Bits b) { return ((I{} + b) & powers(typename Count<LANES>::type{})) != 0; }
#if defined(__AVX2__)
INLINE Bits to_bits(Mask m) { return static_cast<Bits>(_mm256_movemask_ps((__m256)m)); }
#elif defined(__SSE2__)
INLINE Bits to_bits(Mask m) { return static_cast<Bits>(_mm_movemask_ps((__m128)m)); }
#else
INLINE Bits to_bits(Mask m) {
    Bits result = 0;
    for (int i = 0; i < LANES; i++) result |= m[i] & 1 << i;
    return result;
}
#endif
#endif

template <int... i>
INLINE V lower(V a, V b, Numbers<i...>) {
    return SHUFFLE(a, b, (i % 2 ? LANES + i / 2 : i / 2)...);
}
template <int... i>
INLINE V upper(V a, V b, Numbers<i...>) {
    return SHUFFLE(a, b, (LANES / 2 + (i % 2 ? LANES + i / 2 : i / 2))...);
}

// Turn LANES vectors about their diagonal: lane j of vector i becomes lane i of vector j.
template <int done = 1>
INLINE void transpose(V (&v)[LANES]) {
    if constexpr (done < LANES) {
        using All = typename Count<LANES>::type;
        constexpr int half = LANES / 2;
        V next[LANES];
        each<half>([&](auto i) INLINED {
            next[2 * i] = lower(v[i], v[i + half], All{});
            next[2 * i + 1] = upper(v[i], v[i + half], All{});
        });
        transpose<2 * done>(next);
        each<LANES>([&](auto i) INLINED { v[i] = next[i]; });
    }
}

// Store `n` values of LANES images so that those of one image are side by side, `stride` floats from image to image.
template <int n>
void store_rows(const V *values, float *rows, int stride) {
    for (int first = 0; first < n; first += LANES) {
        V v[LANES];
        if (first + LANES <= n) {
            each<LANES>([&](auto i) INLINED { v[i] = values[first + i]; });
            transpose(v);
            each<LANES>([&](auto i) INLINED { store(rows + i * stride + first, v[i]); });
        } else {
            each<LANES>([&](auto i) INLINED { v[i] = first + i < n ? values[first + i] : V{}; });
            transpose(v);
            each<LANES>([&](auto i) INLINED { std::memcpy(rows + i * stride + first, &v[i], 4 * (n - first)); });
        }
    }
}

// The reverse: `n` values each of `count` images, at `rows[0]`, `rows[n]` …; lanes without an image get 0.
template <int n>
void load_rows(V *values, const float *rows, int count) {
    for (int first = 0; first < n; first += LANES) {
        V v[LANES];
        const int some = first + LANES <= n ? LANES : n - first;
        for (int i = 0; i < LANES; i++) {
            v[i] = V{};
            if (i < count) std::memcpy(&v[i], rows + i * n + first, 4 * some);
        }
        transpose(v);
        for (int i = 0; i < some; i++) values[first + i] = v[i];
    }
}

// To about an ulp, and NaN of NaN. After Moshier's Cephes: a polynomial near 0, else by exp.
INLINE V tanh(V x) {
    const V size = floats(bits(x) & 0x7fffffff), z = x * x;
    const V small = ((((-5.70498872745e-3f * z + 2.06390887954e-2f) * z - 5.37397155531e-2f) * z + 1.33314422036e-1f) * z -
                     3.33332819422e-1f) * z * x + x;
    const V y = 2 * (size > 10 ? splat(10) : size);  // beyond, the result is 1
    const V shifted = y * 1.44269504088896341f + 12582912.0f;  // 1.5 * 2^23, so that the lowest bits are the integer
    const V whole = shifted - 12582912.0f;
    const V r = (y - whole * 0.693359375f) + whole * 2.12194440e-4f;
    V e = 1.9875691500e-4f * r + 1.3981999507e-3f;
    e = e * r + 8.3334519073e-3f;
    e = e * r + 4.1665795894e-2f;
    e = e * r + 1.6666665459e-1f;
    e = e * r + 5.0000001201e-1f;
    e = e * (r * r) + r + 1;
    e *= floats((bits(shifted) - 0x4b400000 + 127) << 23);
    const V large = 1 - 2 / (e + 1);
    const V with_sign = floats(bits(large) | (bits(x) & static_cast<int32_t>(0x80000000)));
    return size < 0.625f ? small : with_sign;
}

}  // namespace
