"""Collecting a Hugging Face model's residual streams over text, as a stream or as safetensors files.

    text_files, documents, json_records   the text that is read
    windows                               what the model sees at once
    model, residual_streams               the model, its tokenizer, and hooks on its blocks
    weights_digest                        which model it is
    rows                                  activations of the text, batch after batch
    request, opening                      what was asked for, and the model opened for it
    to_stream                             rows to standard output, in the form of ``routesae.activation_stream``
    to_files, shard_plan, shard_files     rows to safetensors files
    command, progress                     the command line

torch and transformers are imported when a model is opened, not before.
"""
