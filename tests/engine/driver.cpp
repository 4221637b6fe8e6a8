// Calls the engine's C interface in every variant, with arrays of exactly the size that it needs.
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <thread>
#include <vector>

#include "engine.h"

extern "C" int lenet_instructions();
extern "C" int64_t lenet_state_bytes(int instructions, int64_t count, int is_tanh, int is_mean);
extern "C" int lenet_forward(int instructions, int threads, const Call *call);
extern "C" int lenet_backward(int instructions, int threads, const Call *call);
extern "C" int lenet_distort(int instructions, int threads, const Distortion *call);

namespace {

constexpr int sizes[10] = {150, 6, 2400, 16, 48000, 120, 10080, 84, 840, 10};

void check(bool is_right, const char *what) {
    if (is_right) return;
    std::fprintf(stderr, "%s\n", what);
    std::exit(1);
}

std::vector<float> random_floats(size_t size, unsigned &seed, float scale) {
    std::vector<float> result(size);
    for (float &value : result) {
        seed = seed * 1664525u + 1013904223u;
        value = scale * (static_cast<float>(seed >> 8) / (1 << 23) - 1);
    }
    return result;
}

// Logits and gradients of one variant, one after the other.
std::vector<float> results(int instructions, int threads, int64_t count, bool is_tanh, bool is_mean, bool is_bytes,
                           bool is_dropping) {
    unsigned seed = 1;
    const int64_t total = count + 3;
    std::vector<float> pixels = random_floats(total * 784, seed, 120);
    std::vector<uint8_t> bytes(pixels.size());
    for (size_t i = 0; i < pixels.size(); i++) {
        pixels[i] = std::floor(pixels[i] + 121);
        bytes[i] = static_cast<uint8_t>(pixels[i]);
    }
    std::vector<int64_t> index(count);
    for (int64_t i = 0; i < count; i++) index[i] = total - 1 - i;
    Call call{};
    call.images = is_bytes ? static_cast<void *>(bytes.data()) : pixels.data();
    call.total = total;
    call.index = index.data();
    call.count = count;
    call.is_bytes = is_bytes;
    call.is_tanh = is_tanh;
    call.is_mean = is_mean;
    call.subtract = 33;
    call.multiply = 1 / 78.0f;
    std::vector<std::vector<float>> weights, gradients;
    for (int i = 0; i < 10; i++) {
        weights.push_back(random_floats(sizes[i], seed, 0.2f));
        gradients.emplace_back(sizes[i]);
        call.weights[i] = weights.back().data();
        call.gradients[i] = gradients.back().data();
    }
    std::vector<float> mask1 = random_floats(count * 400, seed, 1), mask2 = random_floats(count * 120, seed, 1);
    if (is_dropping) {
        call.mask1 = mask1.data();
        call.mask2 = mask2.data();
    }
    std::vector<float> logits(count * 10), features(count * 84), wanted = random_floats(count * 10, seed, 1);
    std::vector<char> state(lenet_state_bytes(instructions, count, is_tanh, is_mean));
    call.logits = logits.data();
    call.features = features.data();
    check(lenet_forward(instructions, threads, &call) == 0, "forward without a state");
    const std::vector<float> evaluated = logits;
    call.state = state.data();
    call.features = nullptr;
    check(lenet_forward(instructions, threads, &call) == 0, "forward");
    check(evaluated == logits, "logits differ with a state");
    call.logits_gradient = wanted.data();
    check(lenet_backward(instructions, threads, &call) == 0, "backward");
    for (const auto &gradient : gradients) logits.insert(logits.end(), gradient.begin(), gradient.end());
    for (float value : logits) check(std::isfinite(value), "a result is not finite");
    index[0] = total;
    check(lenet_forward(instructions, threads, &call) == 3, "an image that is not there was read");
    return logits;
}

// Distorted images, `extent` times as far from the middle; with NaN for 0.
std::vector<float> distorted(int instructions, int threads, int64_t count, bool has_matrices, bool has_noise, float extent) {
    unsigned seed = 2;
    const int64_t total = count + 3;
    const auto to_bytes = [&](size_t size) {
        std::vector<uint8_t> result;
        for (float value : random_floats(size, seed, 127)) result.push_back(static_cast<uint8_t>(value + 127));
        return result;
    };
    const std::vector<uint8_t> images = to_bytes(total * 784), noise = to_bytes(count * 2 * 784);
    std::vector<float> matrices = random_floats(count * 6, seed, extent), smoothing = random_floats(784, seed, 0.1f);
    if (extent == 0) matrices.assign(matrices.size(), NAN);
    for (int i = 0; i < 28; i++)
        for (int k = 0; k < i; k++) smoothing[i * 28 + k] = smoothing[k * 28 + i];
    std::vector<int64_t> index(count);
    for (int64_t i = 0; i < count; i++) index[i] = total - 1 - i;
    std::vector<float> result(count * 784);
    Distortion call{};
    call.images = images.data();
    call.total = total;
    call.index = index.data();
    call.count = count;
    call.matrices = has_matrices ? matrices.data() : nullptr;
    call.noise = has_noise ? noise.data() : nullptr;
    call.smoothing = smoothing.data();
    call.strength = 34 / 128.0f;
    call.result = result.data();
    check(lenet_distort(instructions, threads, &call) == 0, "distort");
    for (float value : result) check(value >= 0 && value <= 255, "a pixel is not between those of its image");
    index[0] = total;
    check(lenet_distort(instructions, threads, &call) == 3, "an image that is not there was distorted");
    return result;
}

}  // namespace

int main(int count_of_words, char **) {
    const bool is_quick = count_of_words > 1;
    int calls = 0;
    for (int instructions = 0; instructions < 3; instructions++) {
        if (!(lenet_instructions() >> instructions & 1)) continue;
        for (int variant = 0; variant < 16; variant++)
            for (int64_t count : {1, 17, 70}) {
                if (is_quick && (variant % 5 || count % 35)) continue;
                std::vector<float> first;
                for (int threads = 1; threads <= 3; threads += 2, calls++) {
                    const auto all = results(instructions, threads, count, variant & 1, variant & 2, variant & 4, variant & 8);
                    if (threads == 1) first = all;
                    for (size_t i = 0; i < all.size(); i++)
                        check(std::abs(all[i] - first[i]) <= 1e-3f * (1 + std::abs(first[i])), "threads change a result");
                }
            }
    }
    for (int instructions = 0; instructions < 3; instructions++) {
        if (!(lenet_instructions() >> instructions & 1)) continue;
        for (int variant = 0; variant < 4; variant++)
            for (int64_t count : {1, 2, 33})
                for (float extent : {0.0f, 1.2f, 1e30f}) {
                    if (is_quick && (variant % 3 || count % 33)) continue;
                    const auto first = distorted(instructions, 1, count, variant & 1, variant & 2, extent);
                    check(first == distorted(instructions, 3, count, variant & 1, variant & 2, extent),
                          "threads change a distorted image");
                    calls++;
                }
    }
    std::vector<std::thread> runs;
    for (int i = 0; i < 3; i++) runs.emplace_back([] { results(0, 2, 70, false, false, true, true); });
    for (auto &run : runs) run.join();
    std::printf("%d variants are right\n", calls);
}
