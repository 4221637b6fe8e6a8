// The two convolutions, 5×5, each with its pooling 2×2 and its activation, forward and backward, for one block.
#pragma once

#include "vectors.h"

namespace {

// To which of four pixels the gradient goes back: a bit for each image.
typedef Bits Route[4];

// Returns what is pooled of the activated s. A NaN among the four is the maximum, as in PyTorch; its gradient then goes to any of them.
template <bool is_tanh, bool is_mean>
INLINE V pool(const V (&s)[4], Route &route, V *activated, int width) {
    if constexpr (is_mean) {
        V a[4];
        each<4>([&](auto q) INLINED {
            if constexpr (is_tanh) {
                a[q] = tanh(s[q]);
                activated[q / 2 * width + q % 2] = a[q];
            } else {
                const Mask is_active = greater_or_nan(s[q], V{});
                a[q] = keep(is_active, s[q]);
                route[q] = to_bits(is_active);
            }
        });
        return ((a[0] + a[1]) + (a[2] + a[3])) * 0.25f;
    } else {
        const Mask nan = either(is_nan(s[0], s[1]), is_nan(s[2], s[3]));
        const Mask right1 = greater(s[1], s[0]), right2 = greater(s[3], s[2]);
        const V top = maximum(s[0], s[1]), bottom = maximum(s[2], s[3]);
        const Mask below = greater(bottom, top);
        const V m = choose(nan, splat(__builtin_nanf("")), maximum(top, bottom));
        const Mask active = is_tanh ? all_images() : greater_or_nan(m, V{});
        const Mask first = but_not(active, below), second = both(active, below);
        route[0] = to_bits(but_not(first, right1));
        route[1] = to_bits(both(first, right1));
        route[2] = to_bits(but_not(second, right2));
        route[3] = to_bits(both(second, right2));
        return is_tanh ? tanh(m) : keep(active, m);
    }
}

// x [in][size][size] → y [out][half][half], half = (size - 4) / 2; `tile` channels of four pixels are in registers.
template <int in, int size, int out, int tile, bool is_tanh, bool is_mean>
void convolve(const V *x, const float *weight, const float *bias, V *y, Route *route, V *activated) {
    constexpr int half = (size - 4) / 2, width = 2 * half;
    for (int row = 0; row < half; row++)
        for (int column = 0; column < half; column++)
            for (int o = 0; o < out; o += tile) {
                V s[tile][4];
                each<tile>([&](auto t) INLINED {
                    each<4>([&](auto q) INLINED { s[t][q] = splat(bias[o + t]); });
                });
                const V *from = x + 2 * row * size + 2 * column;
                const float *w = weight + o * in * 25;
                for (int i = 0; i < in; i++, from += size * size, w += 25)
                    for (int ky = 0; ky < 5; ky++)
                        each<5>([&](auto kx) INLINED {
                            const V *p = from + ky * size + kx;
                            const V a = p[0], b = p[1], c = p[size], d = p[size + 1];
                            each<tile>([&](auto t) INLINED {
                                const V k = splat(w[t * in * 25 + ky * 5 + kx]);
                                s[t][0] += k * a;
                                s[t][1] += k * b;
                                s[t][2] += k * c;
                                s[t][3] += k * d;
                            });
                        });
                each<tile>([&](auto t) INLINED {
                    const int at = ((o + t) * half + row) * half + column;
                    V *full = activated + ((o + t) * width + 2 * row) * width + 2 * column;
                    y[at] = pool<is_tanh, is_mean>(s[t], route[at], full, width);
                });
            }
}

// The gradient of the convolution's output, g [2 * rows][width], from that of the pooled one, dy [rows][width / 2].
// Returns its sum, which is the bias's gradient.
template <int width, bool is_tanh, bool is_mean>
INLINE V unpool(const V *dy, const V *y, const Route *route, const V *activated, int rows, V *g) {
    constexpr int half = width / 2;
    V sum{};
    for (int row = 0; row < rows; row++)
        for (int column = 0; column < half; column++) {
            const int at = row * half + column;
            V d = is_mean ? dy[at] * 0.25f : dy[at];
            if constexpr (is_tanh && !is_mean) d *= 1 - y[at] * y[at];
            V four[4];
            each<4>([&](auto q) INLINED {
                const int to = (2 * row + q / 2) * width + 2 * column + q % 2;
                if constexpr (is_tanh && is_mean)
                    four[q] = d * (1 - activated[to] * activated[to]);
                else
                    four[q] = keep(from_bits(route[at][q]), d);
                g[to] = four[q];
            });
            sum += (four[0] + four[1]) + (four[2] + four[3]);
        }
    return sum;
}

// Add to the weights' gradient, sums [tile][in][5][5] a lane each, what `rows` rows of g [tile][plane / width][width]
// and x [in][size][size], from its row that belongs to g's first one, give.
template <int in, int size, int tile, int rows>
void add_weight_gradient(const V *x, const V *g, int plane, V *sums) {
    constexpr int width = size - 4, unroll = width % 5 == 0 ? 5 : 4;
    for (int i = 0; i < in; i++)
        for (int ky = 0; ky < 5; ky++) {
            V s[tile][5];
            V *const at = sums + i * 25 + ky * 5;
            each<tile>([&](auto t) INLINED { each<5>([&](auto kx) INLINED { s[t][kx] = at[t * in * 25 + kx]; }); });
            const V *from = x + (i * size + ky) * size;
            for (int row = 0; row < rows; row++)
                for (int column = 0; column < width; column += unroll)
                    each<unroll>([&](auto c) INLINED {
                        const V *p = from + row * size + column + c;
                        each<tile>([&](auto t) INLINED {
                            const V d = g[t * plane + row * width + column + c];
                            each<5>([&](auto kx) INLINED { s[t][kx] += d * p[kx]; });
                        });
                    });
            each<tile>([&](auto t) INLINED { each<5>([&](auto kx) INLINED { at[t * in * 25 + kx] = s[t][kx]; }); });
        }
}

// Add to dx [in][size][size] what g [tile][width][width] gives; a row of dx at a time is in registers.
template <int in, int size, int tile>
void add_input_gradient(const V *g, const float *weight, V *dx) {
    constexpr int width = size - 4;
    for (int y = 0; y < size; y++) {
        const int first = y < width ? 0 : y - width + 1, last = y < 4 ? y : 4;  // of ky
        for (int i = 0; i < in; i++) {
            V s[size];
            V *const row = dx + (i * size + y) * size;
            each<size>([&](auto x) INLINED { s[x] = row[x]; });
            for (int t = 0; t < tile; t++)
                for (int ky = first; ky <= last; ky++) {
                    const V *from = g + (t * width + y - ky) * width;
                    const float *w = weight + (t * in + i) * 25 + ky * 5;
                    if constexpr (vector_registers >= 32) {
                        V k[5];
                        each<5>([&](auto kx) INLINED { k[kx] = splat(w[kx]); });
                        each<width>([&](auto x) INLINED {
                            const V d = from[x];
                            each<5>([&](auto kx) INLINED { s[x + kx] += k[kx] * d; });
                        });
                    } else {
                        each<5>([&](auto kx) INLINED {
                            const V k = splat(w[kx]);
                            each<width>([&](auto x) INLINED { s[x + kx] += k * from[x]; });
                        });
                    }
                }
            each<size>([&](auto x) INLINED { row[x] = s[x]; });
        }
    }
}

}  // namespace
