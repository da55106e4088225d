import CKernels
package import LinearAlgebra
package import Tokenization

extension LanguageModel {
    /// The next-token logits, `[rows × vocabularySize]`, row-major.
    ///
    /// - Parameters:
    ///   - batch: the sequences.
    ///   - rows: for which tokens; all logits of a large batch are many gigabytes with a large vocabulary.
    ///   - editing: called after every layer, in order.
    /// - Throws: `.tokenOutOfRange`, `.sequenceTooLong`, `.nonFiniteWeight`, and what `editing` throws.
    package func logits(
        of batch: TokenBatch, rows: LogitRows = .all, editing: ResidualEdit? = nil
    ) throws -> Matrix {
        try forward(batch, layers: configuration.layerCount, editing: editing) { pass in
            let places = rows.places(in: batch)
            let last = Matrix(rows: places.count, columns: configuration.dModel)
            for (row, place) in places.enumerated() {
                last.row(row).update(from: pass.residual.row(place), count: configuration.dModel)
            }
            return try unembed(last, applyingFinalNorm: true)
        }
    }

    /// Logits of residual streams, `[rows × dModel]` to `[rows × vocabularySize]`: the logit lens (nostalgebraist 2020).
    /// Without the final norm, the contribution of a direction to the logits, up to that norm's scale.
    ///
    /// - Precondition: `rows` has `dModel` columns.
    /// - Throws: `.nonFiniteWeight`.
    package func unembed(_ rows: Matrix, applyingFinalNorm: Bool) throws(LanguageModelError) -> Matrix {
        let d = configuration.dModel
        precondition(rows.columns == d, "rows of \(rows.columns) elements for a residual stream of \(d)")
        let logits: Matrix
        if applyingFinalNorm {
            let normed = Matrix(rows: rows.rows, columns: d)
            workers.forEach(rows.rows, tile: 64) { tile, _ in
                configuration.norm.apply(
                    rows.row(tile.lowerBound), rows: tile.count, width: d, weight: weights.finalNorm.pointer,
                    bias: weights.finalNormBias?.pointer, epsilon: configuration.normEpsilon,
                    into: normed.row(tile.lowerBound))
            }
            logits = try weights.unembed(normed)
        } else {
            logits = try weights.unembed(rows)
        }
        finish(logits, completely: applyingFinalNorm)
        return logits
    }

    /// Scales logits; `completely` adds the bias and caps them as well, which is no part of a single direction's share.
    private func finish(_ logits: Matrix, completely: Bool) {
        let (bias, scale, cap) = (weights.unembeddingBias, configuration.logitScale, configuration.logitCap)
        guard scale != 1 || completely && (bias != nil || cap != nil) else { return }
        let width = logits.columns
        workers.forEach(logits.rows, tile: 4) { tile, _ in
            let (first, count) = (logits.row(tile.lowerBound), Int64(tile.count))
            if completely, let bias { rsae_add_bias(first, Int64(width), count, Int64(width), bias.pointer) }
            if scale != 1 { for place in 0..<tile.count * width { first[place] *= scale } }
            if completely, let cap { rsae_soft_cap(first, Int64(width), count, Int64(width), cap) }
        }
    }

    /// The row of the unembedding for a token's logit, `[dModel]` (`lm_head.weight`, or `model.embed_tokens.weight`
    /// if they are tied).
    ///
    /// - Throws: `.tokenOutOfRange`, `.nonFiniteWeight`.
    package func unembeddingRow(of token: TokenID) throws(LanguageModelError) -> [Float] {
        guard token >= 0, Int(token) < configuration.vocabularySize else {
            throw .tokenOutOfRange(token: token, position: 0, vocabularySize: configuration.vocabularySize)
        }
        return try weights.unembeddingRow(Int(token))
    }
}
