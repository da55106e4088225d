/// The operands of dense products. Everything else (weights that learn, norms, sums) is f32 either way.
package enum Precision: String, Sendable, Codable, CaseIterable {
    /// f32, as stored or widened.
    case f32
    /// Rounded to bf16, products accumulated in f32 (`bf16_product.h`). Half the memory, and twice as fast where the
    /// processor multiplies bf16; elsewhere the same bits at the speed of f32.
    case bf16
}
