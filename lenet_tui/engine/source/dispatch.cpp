// The plain C interface, the choice of an instruction set, and the threads.
#include <pthread.h>

#include <atomic>
#include <condition_variable>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <new>
#include <thread>
#include <vector>

#include "engine.h"

namespace {

constexpr int version = 2;  // of the interface; library.py has it too
constexpr int most_threads = 1024;
constexpr size_t alignment = 64;

const Kernels *kernels_of(int instructions) {
    if (instructions == 0) return &kernels_baseline;
#ifdef WITH_AVX
    if (instructions == 1) return &kernels_avx2;
    if (instructions == 2) return &kernels_avx512;
#endif
    return nullptr;
}

// Memory that grows, and is not initialised again.
class Buffer {
public:
    char *get(size_t bytes) {
        if (bytes > size_) {
            std::free(memory_);
            size_ = 0;
            memory_ = static_cast<char *>(std::aligned_alloc(alignment, (bytes + alignment - 1) / alignment * alignment));
            if (!memory_) throw std::bad_alloc();
            size_ = bytes;
        }
        return memory_;
    }
    ~Buffer() { std::free(memory_); }

private:
    char *memory_ = nullptr;
    size_t size_ = 0;
};

thread_local Buffer scratch, sums;

// Threads that wait for work: first spinning, since the other half of a training step is soon done, then asleep.
class Pool {
public:
    // Call work(context, part) for each part from 0 to parts - 1, part 0 in this thread. Which thread does a part never
    // changes the result; where the threads work for another caller, this one does all of it.
    void run(int parts, void (*work)(void *, int), void *context) {
        if (parts > 1 && callers_.try_lock()) {
            std::lock_guard<std::mutex> free_again(callers_, std::adopt_lock);
            if (ready(parts - 1)) {
                {
                    std::lock_guard<std::mutex> lock(mutex_);
                    work_ = work;
                    context_ = context;
                    parts_ = parts;
                    left_.store(parts - 1, std::memory_order_relaxed);
                    round_.fetch_add(1, std::memory_order_release);
                }
                wake_.notify_all();
                work(context, 0);
                for (int spins = 0; left_.load(std::memory_order_acquire) > 0; spins++) pause(spins);
                return;
            }
        }
        for (int part = 0; part < parts; part++) work(context, part);
    }

private:
    static void pause(int spins) {
#if defined(__x86_64__)
        __builtin_ia32_pause();
#endif
        if (spins > 1000) std::this_thread::yield();
    }

    bool ready(int threads) {
        try {
            while (started_ < threads) {
                std::thread(&Pool::loop, this, started_ + 1, round_.load(std::memory_order_acquire)).detach();
                started_++;
            }
        } catch (const std::exception &) {
            return false;  // the system has no more threads
        }
        return true;
    }

    void loop(int number, unsigned seen) {
        for (;;) {
            for (int spins = 0; round_.load(std::memory_order_acquire) == seen && spins < 3000; spins++) pause(spins);
            int parts;
            {
                std::unique_lock<std::mutex> lock(mutex_);
                wake_.wait(lock, [&] { return round_.load(std::memory_order_acquire) != seen; });
                seen = round_.load(std::memory_order_acquire);
                parts = parts_;
            }
            if (number < parts) {
                work_(context_, number);
                left_.fetch_sub(1, std::memory_order_release);
            }
        }
    }

    std::mutex callers_, mutex_;
    std::condition_variable wake_;
    std::atomic<unsigned> round_{0};
    std::atomic<int> left_{0};
    int started_ = 0, parts_ = 0;
    void (*work_)(void *, int) = nullptr;
    void *context_ = nullptr;
};

// Never destroyed: its threads wait in it while the process ends. After a fork the child has none of the threads.
Pool *pool = nullptr;
std::once_flag pool_made;

Pool &the_pool() {
    std::call_once(pool_made, [] {
        pool = new Pool;
        pthread_atfork(nullptr, nullptr, [] { pool = new Pool; });
    });
    return *pool;
}

struct Work {
    const Call *call;
    const Kernels *kernels;
    int64_t blocks;
    size_t block_bytes;
    int parts;
    char *rows, *sums;
    std::atomic<bool> failed{false};
};

char *block_state(const Work &work, int64_t block) {
    return work.call->state ? work.call->state + block * work.block_bytes : nullptr;
}

template <class F>
void for_blocks(Work &work, int part, F f) {
    try {
        char *memory = scratch.get(work.kernels->scratch_bytes());
        const int64_t end = work.blocks * (part + 1) / work.parts;
        for (int64_t block = work.blocks * part / work.parts; block < end; block++) f(block, memory);
    } catch (const std::bad_alloc &) {
        work.failed = true;
    }
}

void forward_part(void *context, int part) {
    Work &work = *static_cast<Work *>(context);
    for_blocks(work, part, [&](int64_t block, char *memory) {
        work.kernels->forward(*work.call, block, block_state(work, block), memory);
    });
}

void backward_part(void *context, int part) {
    Work &work = *static_cast<Work *>(context);
    char *own = work.sums + part * work.kernels->sums_bytes();
    std::memset(own, 0, work.kernels->sums_bytes());
    for_blocks(work, part, [&](int64_t block, char *memory) {
        work.kernels->backward(*work.call, block, block_state(work, block), work.rows, memory, own);
    });
}

void finish_part(void *context, int part) {
    Work &work = *static_cast<Work *>(context);
    work.kernels->finish(*work.call, work.rows, part, work.parts, work.sums);
}

template <class Images>
bool is_index_right(const Images &call) {
    if (!call.index) return call.count <= call.total;
    for (int64_t i = 0; i < call.count; i++)
        if (call.index[i] < 0 || call.index[i] >= call.total) return false;
    return true;
}

struct DistortionWork {
    const Distortion *call;
    const Kernels *kernels;
    int parts;
    std::atomic<bool> failed{false};
};

void distort_part(void *context, int part) {
    DistortionWork &work = *static_cast<DistortionWork *>(context);
    const int64_t count = work.call->count;
    try {
        char *canvas = scratch.get(work.kernels->canvas_bytes());
        work.kernels->distort(*work.call, count * part / work.parts, count * (part + 1) / work.parts, canvas);
    } catch (const std::bad_alloc &) {
        work.failed = true;
    }
}

// Returns 0, or 1 where there is no such instruction set, 2 without memory, 3 where an image is not there.
int run(int instructions, int threads, Call call, bool is_backward) {
    const Kernels *kernels = kernels_of(instructions);
    if (!kernels || threads < 1 || threads > most_threads) return 1;
    if (!is_index_right(call)) return 3;
    Work work{};
    work.call = &call;
    work.kernels = kernels;
    work.blocks = (call.count + kernels->lanes - 1) / kernels->lanes;
    work.block_bytes = kernels->block_bytes(call);
    work.parts = static_cast<int>(work.blocks < threads ? work.blocks : threads);
    if (work.blocks == 0 && !is_backward) return 0;
    if (work.parts == 0) work.parts = 1;
    if (call.state) {
        const auto at = reinterpret_cast<uintptr_t>(call.state);
        call.state += (alignment - at % alignment) % alignment;
        work.rows = call.state + work.blocks * work.block_bytes;
    }
    if (!is_backward) {
        the_pool().run(work.parts, forward_part, &work);
        return work.failed ? 2 : 0;
    }
    try {
        work.sums = sums.get(work.parts * kernels->sums_bytes());
    } catch (const std::bad_alloc &) {
        return 2;
    }
    the_pool().run(work.parts, backward_part, &work);
    if (!work.failed) the_pool().run(work.parts, finish_part, &work);
    return work.failed ? 2 : 0;
}

}  // namespace

#define EXPORT extern "C" __attribute__((visibility("default")))

EXPORT int lenet_version() { return version; }

// The instruction sets that this processor has, a bit each: baseline, AVX2, AVX-512.
EXPORT int lenet_instructions() {
    int result = 1;
#ifdef WITH_AVX
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) result |= 2;
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512dq"))
        result |= 4;
#endif
    return result;
}

// Bytes of the state of a call for `count` images, 0 where there is no such instruction set.
EXPORT int64_t lenet_state_bytes(int instructions, int64_t count, int is_tanh, int is_mean) {
    const Kernels *kernels = kernels_of(instructions);
    if (!kernels) return 0;
    Call call{};
    call.is_tanh = is_tanh;
    call.is_mean = is_mean;
    const int64_t blocks = (count + kernels->lanes - 1) / kernels->lanes;
    return alignment + blocks * (kernels->block_bytes(call) + kernels->lanes * kernels->row_bytes());
}

EXPORT int lenet_forward(int instructions, int threads, const Call *call) { return run(instructions, threads, *call, false); }
EXPORT int lenet_backward(int instructions, int threads, const Call *call) { return run(instructions, threads, *call, true); }

// Returns as the others do.
EXPORT int lenet_distort(int instructions, int threads, const Distortion *call) {
    DistortionWork work{};
    work.call = call;
    work.kernels = kernels_of(instructions);
    if (!work.kernels || threads < 1 || threads > most_threads) return 1;
    if (!is_index_right(*call)) return 3;
    if (call->count == 0) return 0;
    work.parts = static_cast<int>(call->count < threads ? call->count : threads);
    the_pool().run(work.parts, distort_part, &work);
    return work.failed ? 2 : 0;
}
