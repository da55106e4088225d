package import Safetensors
package import Tokenization

/// Why a language model could not be opened or run.
package enum LanguageModelError: Error, Sendable, Equatable {
    /// There is no such file.
    case missing(path: String)
    /// The file cannot be read, or is not a JSON object.
    case unreadable(path: String, reason: String)
    /// A value of `config.json` is missing or invalid.
    case malformedConfiguration(path: String, key: String, found: String, expected: String)
    /// A value of `config.json` describes an unsupported model.
    case unsupportedConfiguration(path: String, key: String, found: String, supported: String)
    /// The weights cannot be opened, or one that the configuration calls for is not there or is no floating-point tensor.
    case weights(SafetensorsError)
    /// A weight's shape is not the one that the configuration calls for.
    case tensorShape(name: String, path: String, expected: [Int], found: [Int])
    /// A weight holds an infinity or a NaN; `element` counts row-major from 0.
    case nonFiniteWeight(name: String, path: String, element: Int)
    /// The checkpoint has no unembedding, which logits need; residual streams do not.
    case noUnembedding(name: String, path: String)
    /// A folder or file is not a readable model; `problem` says what it is, and what to do.
    case notAModel(path: String, problem: String)
    /// A batch has no sequence, or its offsets do not rise from 0 to the number of tokens.
    case malformedBatch(reason: String)
    /// A sequence of a batch has no tokens.
    case emptySequence(index: Int)
    /// A token is not in the model's vocabulary; `position` counts tokens over the whole batch.
    case tokenOutOfRange(token: TokenID, position: Int, vocabularySize: Int)
    /// A sequence is longer than the model's positions.
    case sequenceTooLong(index: Int, length: Int, maximum: Int)
    /// A decoder layer was asked for that the model does not have.
    case noSuchLayer(layer: Int, layerCount: Int)
}

extension LanguageModelError: CustomStringConvertible {
    /// One line: what, where, and what to do about it.
    package var description: String {
        switch self {
        case .missing(let path):
            "\(path): no such file; a model directory holds config.json and model.safetensors (or its shards)"
        case .unreadable(let path, let reason):
            "\(path): cannot be read: \(reason)"
        case .malformedConfiguration(let path, let key, let found, let expected):
            "\(path): \"\(key)\" is \(found), expected \(expected)"
        case .unsupportedConfiguration(let path, let key, let found, let supported):
            "\(path): \"\(key)\" is \(found), which is not supported (supported: \(supported)); "
                + "tools/export_activations.py exports the activations of any model for training"
        case .weights(let error):
            error.description
        case .tensorShape(let name, let path, let expected, let found):
            "\(path): tensor \"\(name)\" has shape \(found), config.json calls for \(expected)"
        case .nonFiniteWeight(let name, let path, let element):
            "\(path): tensor \"\(name)\" holds an infinity or a NaN at element \(element), which is needed here; "
                + "the file is damaged"
        case .noUnembedding(let name, let path):
            "\(path): has no tensor named \"\(name)\": there are residual streams, and no logits, which this needs; take the "
                + "whole causal language model"
        case .notAModel(let path, let problem):
            "\(path): \(problem)"
        case .malformedBatch(let reason):
            "malformed batch of tokens: \(reason)"
        case .emptySequence(let index):
            "sequence \(index) of the batch has no tokens; leave it out"
        case .tokenOutOfRange(let token, let position, let vocabularySize):
            "token \(token) at position \(position) of the batch has no row in the model's embedding "
                + "(0..<\(vocabularySize)); is the tokenizer that of the model?"
        case .sequenceTooLong(let index, let length, let maximum):
            "sequence \(index) of the batch has \(length) tokens, the model takes at most \(maximum); cut it"
        case .noSuchLayer(let layer, let layerCount):
            "there is no decoder layer \(layer); the model has layers 0..<\(layerCount)"
        }
    }
}
