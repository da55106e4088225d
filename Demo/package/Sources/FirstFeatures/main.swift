import RouteSAE

// Read: the strongest features of a catalog, and the text around the token on which each fires most.
let catalog = try Catalog(opening: CommandLine.arguments[1])
for feature in try catalog.features(sortedBy: "max_activation", limit: 3) {
    let context = try catalog.contexts(of: feature.index, limit: 1).first
    print(feature.index, feature.firingRate, context?.tokens.joined().debugDescription ?? "")
}

// Train a dictionary on activations of your own, [tokens × layers × dModel], and encode with it.
let values: [Float] = (0..<4096).map { number in Float(number * 7919 % 101) / 101 }
let activations = try Activations(values, layers: [0, 1], dModel: 8)
let mine = try Catalog(creating: CommandLine.arguments[2])
var configuration = TrainingConfiguration(latents: 32, k: 4, tokens: 1024)
configuration.batchTokens = 256
let dictionary = try mine.train(configuration, on: [activations])
print(try dictionary.encode(activations)[0].indices.count, "latents of", dictionary.name, "are active")
try mine.close()
