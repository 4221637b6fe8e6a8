// LeNet-5, forward and backward, many images at a time: each lane of a vector belongs to an image of its own.
//
// PyTorch keeps the pixels of an image side by side, and a vector instruction then works on neighbouring pixels. With
// 6 and 16 channels of 28, 14, 10 and 5 pixels a row nothing fills a vector. Here a *block* of images, 16 with
// AVX-512, is turned so that the images are innermost:
//
//      PyTorch, images × pixels                    here, pixels × images
//      image 0:  p0 p1 p2 p3 …                     pixel 0:  p0 of image 0, p0 of image 1 … of image 15   a vector V
//      image 1:  p0 p1 p2 p3 …                     pixel 1:  p1 of image 0, p1 of image 1 … of image 15
//      …                                           …
//
// Every formula is then the one of a single image, with V for float, and a weight is the same for all lanes (`splat`).
//
//   forward     load    conv 1     pool+act    conv 2     pool+act   drop  dense 1  act drop  dense 2 act   dense 3
//             ────────▶ x ────────▶ y1 ──────────────────▶ y2 ───────▶ h0 ────────▶ h1 ──────▶ h2 ────────▶ logits
//               1@32×32            6@14×14               16@5×5     400         120        84           10
//             (28×28 and a border of 0)
//
//   backward, see `backward` below, goes the same way from the right to the left; dx is the gradient of x:
//             of the inputs                                of the weights
//             dense    `dense_input_gradient`              `dense_weight_gradient`, in `finish`
//             conv 2   `unpool`, `add_input_gradient`      `add_weight_gradient`, in `backward_second_convolution`
//             conv 1   (none: nothing learns from it)      `add_weight_gradient`, in `backward_first_convolution`
//
// A sum over images is one over lanes and blocks. For the convolutions a thread has a vector of sums for each weight
// and the lanes are added in the end (`finish`). The dense layers have too many weights for that: for them, images are
// turned back into rows (`store_rows`), and lanes are inputs of the layer.
//
// Convolution, pooling and activation are one pass (`convolve`): four pixels that are pooled together, for some
// channels, are in registers, and of them only the pooled one and a byte that says where it came from are stored.
// The last block may have lanes without an image. They compute with 0; what they give is never added to anything.
#include "engine.h"
#include "convolution.h"
#include "dense.h"
#include "distortion.h"

#define JOIN(a, b) a##b
#define NAMED(a, b) JOIN(a, b)

namespace {

// Register tiles: 4 × 6 sums and what is multiplied have to fit into 32 registers, 4 × 3 into 16.
constexpr bool many = vector_registers >= 32;
constexpr int tile1 = many ? 6 : 3, tile2 = many ? 4 : 2;                  // channels, forward
constexpr int gradient1 = many ? 3 : 2, gradient2 = many ? 4 : 2;          // channels, backward; 5 sums each
constexpr int outputs = 12, inputs1 = many ? 16 : 8, inputs2 = many ? 24 : 12;  // dense layers
constexpr int rows_of_gradient = many ? 4 : 2, vectors_of_gradient = 5;

// What forward leaves for backward of a block of images. Followed by the activations, which tanh with mean needs.
struct Block {
    V y1[6 * 196], y2[400], h1[120], h2[84];
    Route route1[6 * 196], route2[400];
};
struct Activations {
    V a1[6 * 784], a2[16 * 100];
};

// What backward leaves for finish, one after the other for all images: inputs of the dense layers and gradients.
constexpr int width0 = padded(400), width1 = padded(120), width2 = padded(84);
constexpr size_t row_floats = width0 + width1 + width2 + 120 + 84;
struct Rows {
    float *h0, *h1, *h2, *d1, *d2;
    Rows(const void *start, int64_t images) {
        h0 = static_cast<float *>(const_cast<void *>(start));
        h1 = h0 + images * width0;
        h2 = h1 + images * width1;
        d1 = h2 + images * width2;
        d2 = d1 + images * 120;
    }
};

// Sums of a thread, a lane each: gradients of the convolutions' weights and biases, up to whole squares of vectors.
constexpr int sums1 = padded(150), sums2 = padded(2400), biases1 = padded(6), biases2 = padded(16);
struct Sums {
    V w1[sums1], b1[biases1], w2[sums2], b2[biases2];
};
constexpr int all_sums = sizeof(Sums) / sizeof(V);

struct Scratch {
    V x[32 * 32], h0[400], d0[400], d1[120], d2[84], logits[10], mask[400], dy1[6 * 196];
    V g1[gradient1 * 2 * 28], g2[gradient2 * 100];
    Sums sums;
    Block block;
    Activations activations;
};

int images_in(const Call &call, int64_t block) {
    const int64_t left = call.count - block * LANES;
    return left < LANES ? static_cast<int>(left) : LANES;
}

// x [32][32]: the images of a block as the network sees them, with a border of 0.
void load_images(const Call &call, int64_t block, V *x) {
    const int count = images_in(call, block);
    int64_t which[LANES];
    for (int i = 0; i < LANES; i++) {
        const int64_t at = block * LANES + (i < count ? i : 0);
        which[i] = 784 * (call.index ? call.index[at] : at);
    }
    std::memset(x, 0, 66 * sizeof(V));
    for (int row = 2; row < 30; row++) each<4>([&](auto i) INLINED { x[32 * row + 30 + i] = V{}; });
    std::memset(x + 30 * 32 + 2, 0, 62 * sizeof(V));
    V *to = x + 2 * 32 + 2;
    int column = 0;
    for (int first = 0; first < 784; first += LANES) {
        V v[LANES];
        if (call.is_bytes) {
            const uint8_t *from = static_cast<const uint8_t *>(call.images) + first;
            each<LANES>([&](auto i) INLINED { v[i] = load_bytes(from + which[i]); });
        } else {
            const float *from = static_cast<const float *>(call.images) + first;
            each<LANES>([&](auto i) INLINED { v[i] = load(from + which[i]); });
        }
        transpose(v);
        for (int i = 0; i < LANES; i++) {
            *to++ = (v[i] - call.subtract) * call.multiply;
            if (++column == 28) {
                column = 0;
                to += 4;
            }
        }
    }
}

template <int n>
void activate(bool is_tanh, V *h) {
    for (int i = 0; i < n; i++) h[i] = is_tanh ? tanh(h[i]) : h[i] < 0 ? V{} : h[i];
}

// Times the derivative of the activation whose result is h.
template <int n>
void deactivate(bool is_tanh, const V *h, V *d) {
    for (int i = 0; i < n; i++) d[i] = is_tanh ? d[i] * (1 - h[i] * h[i]) : h[i] <= 0 ? V{} : d[i];
}

template <int n>
void drop(const Call &call, int64_t block, const float *mask, V *scratch, const V *from, V *to) {
    if (mask) load_rows<n>(scratch, mask + block * LANES * n, images_in(call, block));
    for (int i = 0; i < n; i++) to[i] = mask ? from[i] * scratch[i] : from[i];
}

void store_images(const V *values, int n, float *to, int count) {
    for (int i = 0; i < count; i++)
        for (int k = 0; k < n; k++) to[i * n + k] = values[k][i];
}

template <bool is_tanh, bool is_mean>
void forward_convolutions(const Call &call, const Scratch &scratch, Block &block, Activations *full) {
    const float *const *w = call.weights;
    convolve<1, 32, 6, tile1, is_tanh, is_mean>(scratch.x, w[0], w[1], block.y1, block.route1, full->a1);
    convolve<6, 14, 16, tile2, is_tanh, is_mean>(block.y1, w[2], w[3], block.y2, block.route2, full->a2);
}

void forward(const Call &call, int64_t number, char *state, char *scratch_) {
    Scratch &scratch = *reinterpret_cast<Scratch *>(scratch_);
    Block &block = state ? *reinterpret_cast<Block *>(state) : scratch.block;
    Activations *full = state ? reinterpret_cast<Activations *>(state + sizeof(Block)) : &scratch.activations;
    const float *const *w = call.weights;
    load_images(call, number, scratch.x);
    if (call.is_tanh)
        call.is_mean ? forward_convolutions<true, true>(call, scratch, block, full)
                     : forward_convolutions<true, false>(call, scratch, block, full);
    else
        call.is_mean ? forward_convolutions<false, true>(call, scratch, block, full)
                     : forward_convolutions<false, false>(call, scratch, block, full);
    drop<400>(call, number, call.mask1, scratch.mask, block.y2, scratch.h0);
    dense<400, 120, outputs>(scratch.h0, w[4], w[5], block.h1);
    activate<120>(call.is_tanh, block.h1);
    drop<120>(call, number, call.mask2, scratch.mask, block.h1, scratch.h0);
    dense<120, 84, outputs>(scratch.h0, w[6], w[7], block.h2);
    activate<84>(call.is_tanh, block.h2);
    dense<84, 10, 10>(block.h2, w[8], w[9], scratch.logits);
    const int count = images_in(call, number);
    store_images(scratch.logits, 10, call.logits + number * LANES * 10, count);
    if (call.features) store_images(block.h2, 84, call.features + number * LANES * 84, count);
}

template <bool is_tanh, bool is_mean>
void backward_second_convolution(const Call &call, const Block &block, const Activations *full, Scratch &scratch,
                                 Sums &sums) {
    std::memset(scratch.dy1, 0, sizeof scratch.dy1);
    for (int o = 0; o < 16; o += gradient2) {
        for (int t = 0; t < gradient2; t++)
            sums.b2[o + t] += unpool<10, is_tanh, is_mean>(
                scratch.d0 + (o + t) * 25, block.y2 + (o + t) * 25, block.route2 + (o + t) * 25,
                full->a2 + (o + t) * 100, 5, scratch.g2 + t * 100);
        add_input_gradient<6, 14, gradient2>(scratch.g2, call.weights[2] + o * 150, scratch.dy1);
        for (int row = 0; row < 10; row += 5)
            add_weight_gradient<6, 14, gradient2, 5>(block.y1 + row * 14, scratch.g2 + row * 10, 100, sums.w2 + o * 150);
    }
}

template <bool is_tanh, bool is_mean>
void backward_first_convolution(const Block &block, const Activations *full, Scratch &scratch, Sums &sums) {
    for (int row = 0; row < 14; row++)
        for (int o = 0; o < 6; o += gradient1) {
            for (int t = 0; t < gradient1; t++) {
                const int at = (o + t) * 196 + row * 14;
                sums.b1[o + t] += unpool<28, is_tanh, is_mean>(scratch.dy1 + at, block.y1 + at, block.route1 + at,
                                                               full->a1 + 4 * at, 1, scratch.g1 + t * 56);
            }
            add_weight_gradient<1, 32, gradient1, 2>(scratch.x + 2 * row * 32, scratch.g1, 56, sums.w1 + o * 25);
        }
}

template <bool is_tanh, bool is_mean>
void backward_convolutions(const Call &call, const Block &block, const Activations *full, Scratch &scratch,
                           Sums &sums) {
    backward_second_convolution<is_tanh, is_mean>(call, block, full, scratch, sums);
    backward_first_convolution<is_tanh, is_mean>(block, full, scratch, sums);
}

void backward(const Call &call, int64_t number, char *state, char *rows_, char *scratch_, char *sums_) {
    Scratch &scratch = *reinterpret_cast<Scratch *>(scratch_);
    const Block &block = *reinterpret_cast<Block *>(state);
    const Activations *full = reinterpret_cast<Activations *>(state + sizeof(Block));
    const int count = images_in(call, number);
    const int64_t image = number * LANES;
    const Rows rows(rows_, (call.count + LANES - 1) / LANES * LANES);
    const float *const *w = call.weights;

    // The inputs of the dense layers, an image a row.
    drop<400>(call, number, call.mask1, scratch.mask, block.y2, scratch.h0);
    store_rows<400>(scratch.h0, rows.h0 + image * width0, width0);
    store_rows<84>(block.h2, rows.h2 + image * width2, width2);

    load_rows<10>(scratch.logits, call.logits_gradient + image * 10, count);
    dense_input_gradient<84, 10, 12>(scratch.logits, w[8], scratch.d2);
    deactivate<84>(call.is_tanh, block.h2, scratch.d2);
    dense_input_gradient<120, 84, inputs2>(scratch.d2, w[6], scratch.d1);
    // Last, the second mask stays in scratch.mask for the gradient.
    drop<120>(call, number, call.mask2, scratch.mask, block.h1, scratch.h0);
    store_rows<120>(scratch.h0, rows.h1 + image * width1, width1);
    if (call.mask2)
        for (int i = 0; i < 120; i++) scratch.d1[i] *= scratch.mask[i];
    deactivate<120>(call.is_tanh, block.h1, scratch.d1);
    dense_input_gradient<400, 120, inputs1>(scratch.d1, w[4], scratch.d0);
    if (call.mask1) drop<400>(call, number, call.mask1, scratch.mask, scratch.d0, scratch.d0);
    store_images(scratch.d2, 84, rows.d2 + image * 84, count);
    store_images(scratch.d1, 120, rows.d1 + image * 120, count);

    const bool is_whole = count == LANES;
    Sums &sums = is_whole ? *reinterpret_cast<Sums *>(sums_) : scratch.sums;
    if (!is_whole) std::memset(static_cast<void *>(&sums), 0, sizeof sums);
    load_images(call, number, scratch.x);
    if (call.is_tanh)
        call.is_mean ? backward_convolutions<true, true>(call, block, full, scratch, sums)
                     : backward_convolutions<true, false>(call, block, full, scratch, sums);
    else
        call.is_mean ? backward_convolutions<false, true>(call, block, full, scratch, sums)
                     : backward_convolutions<false, false>(call, block, full, scratch, sums);
    if (!is_whole) {
        I is_image;
        for (int i = 0; i < LANES; i++) is_image[i] = i < count ? -1 : 0;
        V *to = reinterpret_cast<V *>(sums_), *from = reinterpret_cast<V *>(&sums);
        for (int i = 0; i < all_sums; i++) to[i] += is_image ? from[i] : V{};
    }
}

// gradient [n]: the lanes of `parts` threads' sums, added in this order.
void add_lanes(const char *sums, const V *first, int n, int parts, float *gradient) {
    const size_t offset = reinterpret_cast<const char *>(first) - sums;
    for (int at = 0; at < n; at += LANES) {
        V v[LANES];
        each<LANES>([&](auto i) INLINED { v[i] = first[at + i]; });
        for (int part = 1; part < parts; part++) {
            const V *other = reinterpret_cast<const V *>(sums + part * sizeof(Sums) + offset) + at;
            each<LANES>([&](auto i) INLINED { v[i] += other[i]; });
        }
        transpose(v);
        V sum = v[0];
        each<LANES - 1>([&](auto i) INLINED { sum += v[i + 1]; });
        std::memcpy(gradient + at, &sum, 4 * (n - at < LANES ? n - at : LANES));
    }
}

void finish(const Call &call, const char *rows_, int part, int parts, char *sums_) {
    const Rows rows(rows_, (call.count + LANES - 1) / LANES * LANES);
    float *const *g = call.gradients;
    constexpr int r = rows_of_gradient, v = vectors_of_gradient;
    dense_weight_gradient<400, 120, r, v>(rows.d1, rows.h0, call.count, part, parts, g[4], g[5]);
    dense_weight_gradient<120, 84, r, 4>(rows.d2, rows.h1, call.count, part, parts, g[6], g[7]);
    dense_weight_gradient<84, 10, 2, 3>(call.logits_gradient, rows.h2, call.count, part, parts, g[8], g[9]);
    if (part == 0) {
        const Sums &sums = *reinterpret_cast<const Sums *>(sums_);
        add_lanes(sums_, sums.w1, 150, parts, g[0]);
        add_lanes(sums_, sums.b1, 6, parts, g[1]);
        add_lanes(sums_, sums.w2, 2400, parts, g[2]);
        add_lanes(sums_, sums.b2, 16, parts, g[3]);
    }
}

size_t block_bytes(const Call &call) { return sizeof(Block) + (call.is_tanh && call.is_mean ? sizeof(Activations) : 0); }
size_t row_bytes() { return row_floats * 4; }
size_t scratch_bytes() { return sizeof(Scratch); }
size_t sums_bytes() { return sizeof(Sums); }

}  // namespace

extern const Kernels NAMED(kernels_, INSTRUCTIONS) = {
    LANES, block_bytes, row_bytes, scratch_bytes, sums_bytes, forward, backward, finish, canvas_bytes, distort};
