import ActivationPipeline
import Foundation

/// How an endpoint is reached, and the spending limits. None of it affects answers, so it is not stored.
package struct JudgeConnection: Sendable {
    /// The API key; sent in a header only.
    package var key: String?
    /// Concurrent requests.
    package var concurrency: Int
    /// Timeout of a request, seconds.
    package var timeout: Double
    /// The most requests that are sent; nil for any number.
    package var maximumRequests: Int?
    /// The most that may be spent, in the currency of the prices; nil for no limit.
    package var maximumCost: Double?
    /// The price of tokens; nil if unknown.
    package var price: TokenPrice?
    /// Attempts per request.
    package var attempts: Int

    /// Describes a connection.
    package init(
        key: String? = nil, concurrency: Int = 8, timeout: Double = 120, maximumRequests: Int? = nil,
        maximumCost: Double? = nil, price: TokenPrice? = nil, attempts: Int = 5
    ) {
        self.key = key
        self.concurrency = concurrency
        self.timeout = timeout
        self.maximumRequests = maximumRequests
        self.maximumCost = maximumCost
        self.price = price
        self.attempts = attempts
    }
}

/// The price of a million tokens of a model.
package struct TokenPrice: Sendable, Codable, Equatable {
    /// Tokens of requests.
    package let input: Double
    /// Tokens of replies.
    package let output: Double

    /// Describes a price.
    package init(input: Double, output: Double) {
        self.input = input
        self.output = output
    }

    /// The cost of some tokens.
    package func cost(promptTokens: Int, completionTokens: Int) -> Double {
        (input * Double(promptTokens) + output * Double(completionTokens)) / 1e6
    }

    /// A model's price in a table: JSON such as `{"some-model": {"input": 0.15, "output": 0.6}}`, per million tokens.
    ///
    /// - Throws: `WorkflowError` if there is no such file, it is no such table, or the model is not in it.
    package static func of(_ llm: String, in path: String) throws -> TokenPrice {
        guard let data = FileManager.default.contents(atPath: path) else {
            throw WorkflowError.missing(path: path, what: "file")
        }
        guard let table = try? JSONDecoder().decode([String: TokenPrice].self, from: data) else {
            throw WorkflowError.badInput(
                path: path, problem: "it is not a table of prices like {\"model\": {\"input\": 0.15, \"output\": 0.6}}")
        }
        guard let price = table[llm] else {
            throw WorkflowError.badInput(
                path: path,
                problem: "it has no price for \"\(llm)\", only for \(table.keys.sorted().joined(separator: ", "))")
        }
        guard price.input >= 0, price.output >= 0, price.input.isFinite, price.output.isFinite else {
            throw WorkflowError.badInput(path: path, problem: "the price of \"\(llm)\" is not a number from 0")
        }
        return price
    }
}
