// The dense (fully connected) layers, forward and backward.
#pragma once

#include "vectors.h"

namespace {

// y [out] = weight [out][in] · x [in] + bias, for one block.
template <int in, int out, int tile>
void dense(const V *x, const float *weight, const float *bias, V *y) {
    static_assert(out % tile == 0);
    for (int o = 0; o < out; o += tile) {
        V s[tile];
        each<tile>([&](auto t) INLINED { s[t] = splat(bias[o + t]); });
        const float *w = weight + o * in;
        for (int i = 0; i < in; i++) each<tile>([&](auto t) INLINED { s[t] += splat(w[t * in + i]) * x[i]; });
        each<tile>([&](auto t) INLINED { y[o + t] = s[t]; });
    }
}

// dx [in] = dy [out] · weight [out][in], for one block.
template <int in, int out, int tile>
void dense_input_gradient(const V *dy, const float *weight, V *dx) {
    static_assert(in % tile == 0);
    for (int i = 0; i < in; i += tile) {
        V s[tile] = {};
        for (int o = 0; o < out; o++) {
            const float *w = weight + o * in + i;
            each<tile>([&](auto t) INLINED { s[t] += splat(w[t]) * dy[o]; });
        }
        each<tile>([&](auto t) INLINED { dx[i + t] = s[t]; });
    }
}

constexpr int padded(int n) { return (n + LANES - 1) / LANES * LANES; }

// dw [tile rows][in], from row o and vector v on, plus dy [count][out] · x [count][padded(in)]; here, lanes are inputs.
template <int in, int out, int tile, int vectors>
INLINE void add_tile(const float *dy, const float *x, int64_t count, bool is_first, int o, int v, float *dw) {
    V s[tile][vectors];
    const int rest = in - (v + vectors - 1) * LANES;  // of the last vector
    const auto move = [&](auto t, auto k, bool is_store) INLINED {
        float *p = dw + (o + t) * in + (v + k) * LANES;
        if (k + 1 < vectors || rest >= LANES) {
            if (is_store) store(p, s[t][k]);
            else s[t][k] = load(p);
        } else if (is_store) {
            std::memcpy(p, &s[t][k], 4 * rest);
        } else {
            s[t][k] = V{};
            std::memcpy(&s[t][k], p, 4 * rest);
        }
    };
    each<tile>([&](auto t) INLINED {
        each<vectors>([&](auto k) INLINED {
            if (is_first) s[t][k] = V{};
            else move(t, k, false);
        });
    });
    const float *from = x + v * LANES;
    for (int64_t i = 0; i < count; i++, from += padded(in)) {
        V a[vectors];
        each<vectors>([&](auto k) INLINED { a[k] = load(from + k * LANES); });
        each<tile>([&](auto t) INLINED {
            const V d = splat(dy[i * out + o + t]);
            each<vectors>([&](auto k) INLINED { s[t][k] += d * a[k]; });
        });
    }
    each<tile>([&](auto t) INLINED { each<vectors>([&](auto k) INLINED { move(t, k, true); }); });
}

// Rows of dw [out][in] and db [out]: the part `part` of `parts`. 64 images at a time, which the cache holds.
template <int in, int out, int tile, int vectors>
void dense_weight_gradient(const float *dy, const float *x, int64_t count, int part, int parts, float *dw, float *db) {
    static_assert(out % tile == 0);
    constexpr int width = padded(in) / LANES;
    const int begin = out / tile * part / parts * tile, end = out / tile * (part + 1) / parts * tile;
    if (count == 0) std::memset(dw + begin * in, 0, 4 * (end - begin) * in);
    for (int64_t i = 0; i < count; i += 64) {
        const int64_t some = count - i < 64 ? count - i : 64;
        const float *dyi = dy + i * out, *xi = x + i * padded(in);
        int v = 0;
        for (; v + vectors <= width; v += vectors)
            for (int o = begin; o < end; o += tile) add_tile<in, out, tile, vectors>(dyi, xi, some, i == 0, o, v, dw);
        for (; v < width; v++)
            for (int o = begin; o < end; o += tile) add_tile<in, out, tile, 1>(dyi, xi, some, i == 0, o, v, dw);
    }
    for (int o = begin; o < end; o++) db[o] = 0;
    for (int64_t i = 0; i < count; i++)
        for (int o = begin; o < end; o++) db[o] += dy[i * out + o];
}

}  // namespace
