import Foundation

/// The decoder written down token by token in float64, without batches, tiles or shared products.
struct ReferenceDecoder {
    let model: ScratchModel
    /// For each layer how many positions a query sees, its own included.
    var windows: [Int?]
    /// Frequency of each pair of a head.
    var frequencies: [Double]
    /// Whether products round their operands to bf16, and add up exactly: in linear layers, and of queries and keys, and
    /// of exponentials and values, in attention of at most 512 keys.
    var roundsProducts = false

    init(_ model: ScratchModel, windows: [Int?]? = nil, stretchedBy factor: Double = 1) {
        self.model = model
        self.windows = windows ?? [Int?](repeating: nil, count: model.int("num_hidden_layers"))
        let dimension = model.config["head_dim"] as? Int ?? model.int("hidden_size") / model.int("num_attention_heads")
        let theta = model.config["rope_theta"] as? Double ?? 10000
        frequencies = (0..<dimension / 2).map { pow(theta, -2 * Double($0) / Double(dimension)) / factor }
    }

    /// The residual stream after each layer, `[layers][tokens][d]`, and the logits `[tokens][vocabulary]`.
    func run(_ tokens: [Int32]) -> (layers: [[[Double]]], logits: [[Double]]) {
        var stream = tokens.map { row("model.embed_tokens.weight", Int($0)) }
        var layers: [[[Double]]] = []
        for layer in windows.indices {
            stream = self.layer(layer, stream)
            layers.append(stream)
        }

        let head = model.tensors["lm_head.weight"] == nil ? "model.embed_tokens" : "lm_head"
        return (layers, stream.map { linear(head, norm("model.norm", $0)) })
    }

    private func layer(_ layer: Int, _ stream: [[Double]]) -> [[Double]] {
        let name = "model.layers.\(layer)."
        let dimension = 2 * frequencies.count
        let group = model.int("num_attention_heads") / model.int("num_key_value_heads")
        let normed = stream.map { norm(name + "input_layernorm", $0) }
        func heads(_ projection: String, turned: Bool, norm normName: String) -> [[[Double]]] {
            normed.enumerated().map { position, x in
                let all = linear(name + "self_attn.\(projection)", x)
                return stride(from: 0, to: all.count, by: dimension).map { first in
                    var head = Array(all[first..<first + dimension])
                    if model.tensors[name + "self_attn.\(normName).weight"] != nil {
                        head = norm(name + "self_attn.\(normName)", head)
                    }
                    return turned ? turn(head, position) : head
                }
            }
        }

        let queries = heads("q_proj", turned: true, norm: "q_norm")
        let keys = heads("k_proj", turned: true, norm: "k_norm")
        let values = heads("v_proj", turned: false, norm: "")
        return stream.indices.map { token in
            let first = max(0, token - (windows[layer] ?? .max) + 1)
            var attended: [Double] = []
            for head in 0..<model.int("num_attention_heads") {
                let query = operand(queries[token][head].map { $0 / Double(dimension).squareRoot() })
                let scores = (first...token).map { dot(query, operand(keys[$0][head / group])) }
                let largest = scores.max() ?? 0
                let exponentials = scores.map { exp($0 - largest) }
                let (sum, weights) = (exponentials.reduce(0, +), operand(exponentials))
                for element in 0..<dimension {
                    var total = 0.0
                    for (offset, weight) in weights.enumerated() {
                        total += weight * operand([values[first + offset][head / group][element]])[0]
                    }
                    attended.append(total / sum)
                }
            }

            let middle = add(stream[token], linear(name + "self_attn.o_proj", attended))
            let x = norm(name + "post_attention_layernorm", middle)
            let gate = linear(name + "mlp.gate_proj", x).map { $0 / (1 + exp(-$0)) }
            let hidden = zip(gate, linear(name + "mlp.up_proj", x)).map { $0 * $1 }
            return add(middle, linear(name + "mlp.down_proj", hidden))
        }
    }

    private func turn(_ head: [Double], _ position: Int) -> [Double] {
        let half = frequencies.count
        var turned = head
        for (pair, frequency) in frequencies.enumerated() {
            let (c, s) = (cos(Double(position) * frequency), sin(Double(position) * frequency))
            turned[pair] = head[pair] * c - head[pair + half] * s
            turned[pair + half] = head[pair + half] * c + head[pair] * s
        }
        return turned
    }

    private func norm(_ name: String, _ x: [Double]) -> [Double] {
        let epsilon = model.config["rms_norm_eps"] as? Double ?? 1e-6
        let scale = 1 / (dot(x, x) / Double(x.count) + epsilon).squareRoot()
        return zip(x, model.tensors[name + ".weight"]?.elements ?? []).map { $0 * scale * Double($1) }
    }

    private func linear(_ name: String, _ x: [Double]) -> [Double] {
        let outputs = model.tensors[name + ".weight"]?.shape[0] ?? 0
        let input = operand(x)
        let product = (0..<outputs).map { dot(operand(row(name + ".weight", $0)), input) }
        guard let bias = model.tensors[name + ".bias"] else { return product }
        return add(product, bias.elements.map(Double.init))
    }

    private func operand(_ x: [Double]) -> [Double] { roundsProducts ? x.map(rounded) : x }

    /// The nearest bf16; a tie is not to be met.
    private func rounded(_ x: Double) -> Double {
        guard x != 0 else { return 0 }
        let step = 0x1p-7 * x.binade
        return (x / step).rounded(.toNearestOrEven) * step
    }

    private func row(_ name: String, _ index: Int) -> [Double] {
        guard let tensor = model.tensors[name] else { return [] }
        return tensor.elements[index * tensor.shape[1]..<(index + 1) * tensor.shape[1]].map(Double.init)
    }

    private func dot(_ a: [Double], _ b: [Double]) -> Double { zip(a, b).reduce(0) { $0 + $1.0 * $1.1 } }
    private func add(_ a: [Double], _ b: [Double]) -> [Double] { zip(a, b).map { $0 + $1 } }
}
