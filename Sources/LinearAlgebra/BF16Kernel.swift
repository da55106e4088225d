import CKernels

/// Instruction sets for products of bf16. All give the same bits.
package enum BF16Kernel: String, Sendable, CaseIterable {
    /// 512-bit vectors with the dot product of pairs of bf16.
    case avx512bf16
    /// 512-bit vectors: bf16 are widened, and multiplied and added in f32.
    case avx512
    /// 256-bit vectors, likewise.
    case avx2
    /// Any x86-64 processor: one term at a time in f64, slowly.
    case baseline

    /// The kernel in use: the best that the processor has and that passes its check, or the one named by the environment
    /// variable `ROUTESAE_KERNELS`.
    package static var current: BF16Kernel { BF16Kernel(rsae_bf16_product_kernel()) }

    /// Whether this processor has the instructions.
    package var isAvailable: Bool { rsae_bf16_kernel_is_available(kernel) }

    private init(_ kernel: rsae_bf16_kernel) {
        switch kernel {
        case RSAE_BF16_DOT: self = .avx512bf16
        case RSAE_BF16_AVX512: self = .avx512
        case RSAE_BF16_AVX2: self = .avx2
        default: self = .baseline
        }
    }

    var kernel: rsae_bf16_kernel {
        switch self {
        case .avx512bf16: RSAE_BF16_DOT
        case .avx512: RSAE_BF16_AVX512
        case .avx2: RSAE_BF16_AVX2
        case .baseline: RSAE_BF16_BASELINE
        }
    }
}
