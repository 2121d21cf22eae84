// The handles that a session has open, and the numbers by which JavaScript knows them.
#ifndef PSCTX_BINDING_HANDLES_H
#define PSCTX_BINDING_HANDLES_H

#include <cstdint>
#include <vector>

namespace psctx {

// A number is a handle and, above its 32 bits, a generation: a handle that was closed is another number when it comes again. It is below
// 2^48, so that it is a JavaScript number. Zero is none.
class Handles {
  public:
    // The number of a handle that has been opened; zero when the system's handles are not as they are known to be.
    std::uint64_t Add(std::uint64_t handle)
    {
        const std::uint64_t index = handle / kStep;

        if (handle % kStep != 0 || handle == 0 || index >= kMaximum) {
            return 0;
        }
        if (index >= generations_.size()) {
            generations_.resize(index + index / 2 + 1);
        }
        last_ = static_cast<std::uint16_t>(last_ % kLastGeneration + 1);
        generations_[index] = last_;
        return static_cast<std::uint64_t>(last_) << 32 | handle;
    }

    void Remove(std::uint64_t number) noexcept { generations_[ToHandle(number) / kStep] = 0; }

    bool IsOpen(std::uint64_t number) const noexcept
    {
        const std::uint64_t handle = ToHandle(number);

        return handle % kStep == 0 && handle / kStep < generations_.size() && number >> 32 != 0 &&
               generations_[handle / kStep] == number >> 32;
    }

    // Whether it is open under whatever number.
    bool IsOpenHandle(std::uint64_t handle) const noexcept
    {
        return handle % kStep == 0 && handle / kStep < generations_.size() && generations_[handle / kStep] != 0;
    }

    static constexpr std::uint64_t ToHandle(std::uint64_t number) noexcept { return number & 0xFFFFFFFFu; }

    // Calls Close with each handle, and forgets them all.
    template <typename Routine> void Clear(Routine close)
    {
        for (std::size_t index = 0; index < generations_.size(); index += 1) {
            if (generations_[index] != 0) {
                close(std::uint64_t{index} * kStep);
            }
        }
        generations_.clear();
    }

  private:
    // Handles are multiples of four, and the lowest that is free is taken first. [winnt: the two low bits are the program's]
    static constexpr std::uint64_t kStep = 4;
    static constexpr std::uint64_t kMaximum = 1u << 24;
    static constexpr std::uint32_t kLastGeneration = 0xFFFF;

    std::vector<std::uint16_t> generations_; // by handle; zero: not open
    std::uint16_t last_ = 0;
};

} // namespace psctx

#endif
