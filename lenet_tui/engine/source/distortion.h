// Distorts images: every pixel of the result is taken from another place of its image, between four pixels.
//
// Here, lanes are neighbouring pixels of a row, and images come one after the other. Where a pixel is taken from is
//
//     (x, y), turned, scaled and shifted by the image's matrix   +   a displacement
//
// as in torch's affine_grid and grid_sample. The displacements are noise that a Gaussian has smoothed, one picture for
// x and one for y: smoothing · noise · smoothing, since a Gaussian smooths columns and rows one after the other.
#pragma once

#include "dense.h"

namespace {

constexpr int side = 28, row_vectors = padded(side) / LANES;
constexpr int smooth_tile = vector_registers >= 32 ? (LANES == 16 ? 7 : 2) : (LANES == 8 ? 2 : 1);  // rows in registers
constexpr int table_width = 32, table_height = side + 2;

struct Canvas {
    V smoothing[side * row_vectors], half[side * row_vectors], shift_x[side * row_vectors], shift_y[side * row_vectors];
    float noise[side * side];
    uint8_t pixels[(table_height + 1) * 2 * table_width];  // from (-1, -1), with a border of 0
    // The four pixels at (x, y), (x + 1, y), (x, y + 1), (x + 1, y + 1), a byte each: one gather fetches them.
    int32_t corners[table_height * table_width];
};

// product [side][row_vectors] = left [side][side] · right [side][row_vectors].
void multiply(const float *left, const V *right, V *product) {
    static_assert(side % smooth_tile == 0);
    for (int row = 0; row < side; row += smooth_tile) {
        V s[smooth_tile][row_vectors] = {};
        for (int k = 0; k < side; k++)
            each<smooth_tile>([&](auto t) INLINED {
                const V a = splat(left[(row + t) * side + k]);
                each<row_vectors>([&](auto v) INLINED { s[t][v] += a * right[k * row_vectors + v]; });
            });
        each<smooth_tile>([&](auto t) INLINED {
            each<row_vectors>([&](auto v) INLINED { product[(row + t) * row_vectors + v] = s[t][v]; });
        });
    }
}

void smooth(const Distortion &call, const uint8_t *noise, Canvas &canvas, V *shift) {
    static_assert(side * side % LANES == 0);
    for (int i = 0; i < side * side; i += LANES)
        store(canvas.noise + i, (load_bytes(noise + i) - 127.5f) * call.strength);
    multiply(canvas.noise, canvas.smoothing, canvas.half);
    multiply(call.smoothing, canvas.half, shift);
}

void lay_out(const uint8_t *image, Canvas &canvas) {
    constexpr int stride = 2 * table_width;
    for (int row = 0; row < side; row++) std::memcpy(canvas.pixels + (row + 1) * stride + 1, image + row * side, side);
    for (int row = 0; row < table_height; row++) {
        const uint8_t *from = canvas.pixels + row * stride, *below = from + stride;
        for (int x = 0; x < table_width; x++)
            canvas.corners[row * table_width + x] = static_cast<int32_t>(
                from[x] | from[x + 1] << 8 | below[x] << 16 | static_cast<uint32_t>(below[x + 1]) << 24);
    }
}

// One more than the place, from 0 on, and no further out than the border is, where all is 0; not a number is out.
INLINE V in_table(V place) {
    const V least = maximum(place, splat(-1)) + 1;
    return choose(greater(least, splat(side + 1)), splat(side + 1), least);
}

INLINE V byte_of(I four, int shift) { return __builtin_convertvector(four >> shift & 255, V); }

template <int... i>
INLINE V lane_numbers(Numbers<i...>) {
    return V{i...};
}

// (result [side][side]) of the image on the canvas; m is its matrix in units of half an image, from its middle.
template <bool is_shifted>
void sample(const float *m, const Canvas &canvas, float *result) {
    constexpr float middle = side / 2;
    for (int row = 0; row < side; row++) {
        const float y = (2 * row + 1) / middle / 2 - 1;
        const V from_x = splat((m[1] * y + m[2] + 1) * middle - 0.5f), from_y = splat((m[4] * y + m[5] + 1) * middle - 0.5f);
        for (int v = 0; v < row_vectors; v++) {
            const V x = (lane_numbers(typename Count<LANES>::type{}) + (v * LANES + 0.5f - middle));
            V place_x = m[0] * x + from_x, place_y = m[3] * x + from_y;
            if constexpr (is_shifted) {
                place_x += canvas.shift_x[row * row_vectors + v];
                place_y += canvas.shift_y[row * row_vectors + v];
            }
            place_x = in_table(place_x);
            place_y = in_table(place_y);
            const I whole_x = __builtin_convertvector(place_x, I), whole_y = __builtin_convertvector(place_y, I);
            const V part_x = place_x - __builtin_convertvector(whole_x, V), part_y = place_y - __builtin_convertvector(whole_y, V);
            const I four = gather(canvas.corners, whole_y * table_width + whole_x);
            const V a = byte_of(four, 0), b = byte_of(four, 8), c = byte_of(four, 16), d = byte_of(four, 24);
            const V top = a + part_x * (b - a), bottom = c + part_x * (d - c);
            const V mixed = top + part_y * (bottom - top);
            float *to = result + row * side + v * LANES;
            if ((v + 1) * LANES <= side) store(to, mixed);
            else std::memcpy(to, &mixed, 4 * (side % LANES));
        }
    }
}

// Images `begin` to `end` of the call.
void distort(const Distortion &call, int64_t begin, int64_t end, char *scratch) {
    static const float no_change[6] = {1, 0, 0, 0, 1, 0};
    Canvas &canvas = *reinterpret_cast<Canvas *>(scratch);
    std::memset(static_cast<void *>(&canvas), 0, sizeof canvas);
    if (call.noise)
        for (int row = 0; row < side; row++)
            std::memcpy(canvas.smoothing + row * row_vectors, call.smoothing + row * side, 4 * side);
    for (int64_t image = begin; image < end; image++) {
        const int64_t which = call.index ? call.index[image] : image;
        lay_out(call.images + which * side * side, canvas);
        const float *matrix = call.matrices ? call.matrices + image * 6 : no_change;
        float *result = call.result + image * side * side;
        if (call.noise) {
            const uint8_t *noise = call.noise + image * 2 * side * side;
            smooth(call, noise, canvas, canvas.shift_x);
            smooth(call, noise + side * side, canvas, canvas.shift_y);
            sample<true>(matrix, canvas, result);
        } else {
            sample<false>(matrix, canvas, result);
        }
    }
}

size_t canvas_bytes() { return sizeof(Canvas); }

}  // namespace
