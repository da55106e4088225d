import CKernels

/// Instruction sets for products. The first two give the same bits.
package enum ProductKernel: String, Sendable, CaseIterable {
    /// 512-bit vectors with fused multiply-add.
    case avx512
    /// 256-bit vectors with fused multiply-add.
    case avx2
    /// Any x86-64 processor: each term of a sum is rounded before it is added.
    case baseline

    /// The kernel in use: the best that the processor has, or the one named by the environment variable
    /// `ROUTESAE_KERNELS`.
    package static var current: ProductKernel { ProductKernel(rsae_product_kernel()) }

    /// Whether this processor has the instructions.
    package var isAvailable: Bool { rsae_kernel_is_available(kernel) }

    private init(_ kernel: rsae_kernel) {
        switch kernel {
        case RSAE_AVX512: self = .avx512
        case RSAE_AVX2: self = .avx2
        default: self = .baseline
        }
    }

    var kernel: rsae_kernel {
        switch self {
        case .avx512: RSAE_AVX512
        case .avx2: RSAE_AVX2
        case .baseline: RSAE_BASELINE
        }
    }
}
