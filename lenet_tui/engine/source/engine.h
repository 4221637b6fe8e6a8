// What dispatch.cpp and the kernels, which are compiled once for each instruction set, have in common.
#pragma once

#include <cstddef>
#include <cstdint>

// One call, forward or backward. Arrays are dense, images first, float32 where nothing else is said.
struct Call {
    const void *images;    // (total, 784) bytes or floats, 0 to 255
    int64_t total;
    const int64_t *index;  // (count,) which of the images, or null: the first count
    int64_t count;
    int32_t is_bytes;  // of images
    int32_t is_tanh;   // else ReLU
    int32_t is_mean;   // pooling, else maximum
    float subtract;    // the network sees (pixel - subtract) * multiply
    float multiply;
    const float *weights[10];  // as torch has them: weight and bias of two convolutions and three dense layers
    const float *mask1;        // (count, 400) factors before the first dense layer, or null
    const float *mask2;        // (count, 120) before the second
    float *logits;             // (count, 10)
    float *features;           // (count, 84) what the last layer sees, or null
    char *state;               // what a backward call needs of the forward call, or null: there will be none
    const float *logits_gradient;  // (count, 10)
    float *gradients[10];          // as weights
};

// A call that distorts images, see distortion.h.
struct Distortion {
    const uint8_t *images;  // (total, 784)
    int64_t total;
    const int64_t *index;  // (count,) which of the images, or null: the first count
    int64_t count;
    const float *matrices;   // (count, 2, 3) from a place in the result to one in the image, or null
    const uint8_t *noise;    // (count, 2, 784) for displacements in x and y, or null
    const float *smoothing;  // (28, 28) symmetric, of a row or a column of the noise
    float strength;          // pixels: of the difference of 1 from the noise's middle
    float *result;           // (count, 784)
};

// The kernels of one instruction set. A block is as many images as a vector has lanes.
struct Kernels {
    int64_t lanes;
    size_t (*block_bytes)(const Call &);      // of the state, for one block
    size_t (*row_bytes)();                    // of the state, for one image
    size_t (*scratch_bytes)();                // of one thread
    size_t (*sums_bytes)();                   // of one thread, in a backward call: gradients of the convolutions
    void (*forward)(const Call &, int64_t block, char *state, char *scratch);
    void (*backward)(const Call &, int64_t block, char *state, char *rows, char *scratch, char *sums);
    // The gradients that need all blocks: part `part` of `parts` of the dense ones, and the convolutions' with part 0.
    void (*finish)(const Call &, const char *rows, int part, int parts, char *sums);
    size_t (*canvas_bytes)();  // of one thread that distorts
    void (*distort)(const Distortion &, int64_t begin, int64_t end, char *canvas);
};

extern const Kernels kernels_baseline;
#ifdef WITH_AVX
extern const Kernels kernels_avx2, kernels_avx512;
#endif
