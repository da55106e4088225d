import FlyingFox
import Foundation

extension ChatBehaviour {
    /// The response in FlyingFox's terms.
    func response() async throws -> HTTPResponse {
        switch self {
        case .reply(let content, let logProbabilities, let finishReason):
            return Self.json(
                Self.replyBody(content, logProbabilities: logProbabilities, finishReason: finishReason))
        case .status(let code, let headers, let body):
            var fields = HTTPHeaders()
            for (name, value) in headers { fields.setValues([value], for: HTTPHeader(name)) }
            return HTTPResponse(
                statusCode: HTTPStatusCode(code, phrase: "Scripted"), headers: fields, body: Data(body.utf8))
        case .body(let data):
            return Self.json(data)
        case .hang:
            try await Task.sleep(for: .seconds(3_600))
            return HTTPResponse(statusCode: .ok)
        case .truncated:
            let whole = Self.replyBody("cut off")
            let half = BrokenBody(bytes: Array(whole.prefix(whole.count / 2)), endsWithError: true)
            return HTTPResponse(statusCode: .ok, body: HTTPBodySequence(from: half, count: whole.count))
        case .nonJSON:
            return HTTPResponse(
                statusCode: .ok, headers: [.contentType: "text/html"],
                body: Data("<!doctype html>\n<p>It works!</p>\n".utf8))
        case .overlong(let bytes):
            let body = BrokenBody(bytes: Array(repeating: UInt8(ascii: " "), count: bytes), endsWithError: false)
            return HTTPResponse(statusCode: .ok, body: HTTPBodySequence(from: body, suggestedBufferSize: 65_536))
        case .slow(let seconds, let behaviour):
            try await Task.sleep(for: .seconds(seconds))
            return try await behaviour.response()
        }
    }

    private static func json(_ body: Data) -> HTTPResponse {
        HTTPResponse(statusCode: .ok, headers: [.contentType: "application/json"], body: body)
    }
}
