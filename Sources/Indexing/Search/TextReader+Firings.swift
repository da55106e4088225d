import ActivationPipeline
import LinearAlgebra
import SparseCoding
import Vocabulary

extension TextReader {
    /// What fires on one token, strongest first.
    ///
    /// - Parameters:
    ///   - row: the token among those of `reading`.
    ///   - position: its position in the text.
    ///   - token: its text.
    /// - Returns: one entry; one for each layer if every layer of a token is a sample of its own.
    func firings(on row: Int, at position: Int, _ token: String, in reading: Reading) -> [TokenFirings] {
        let configuration = dictionary.configuration
        let perToken = configuration.samplesPerToken
        return (row * perToken..<(row + 1) * perToken).map { sample in
            let indices = reading.latents.indices(of: sample)
            let activations = reading.latents.activations(of: sample)
            let firings = (0..<Int(reading.latents.counts[sample])).compactMap { slot in
                activations[slot] > 0
                    ? TokenFirings.Firing(featureIndex: Int(indices[slot]), activation: activations[slot]) : nil
            }

            let selected = Int(reading.routed.selected[sample])
            return TokenFirings(
                position: position, token: token,
                layer: configuration.architecture == .crosscoder ? nil : configuration.layers[selected],
                routerWeight: configuration.routes ? Double(reading.routed.probabilities[sample, selected]) : nil,
                firings: firings.sorted { ($0.activation, $1.featureIndex) > ($1.activation, $0.featureIndex) })
        }
    }
}
