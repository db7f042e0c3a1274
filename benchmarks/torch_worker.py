"""A contender: training steps of the same architecture in PyTorch.

`turns.Contender` describes the protocol. The program needs only PyTorch (`benchmarks/requirements.txt`), in its own
environment.

Usage: python benchmarks/torch_worker.py {float32,bfloat16} {contiguous,channels_last} {eager,compiled}
    BATCH_SIZE HEIGHT WIDTH CHANNELS LATENT_DIM
"""

import sys
import time
import warnings

warnings.filterwarnings("ignore", message="Failed to initialize NumPy")  # not needed, not installed

import torch  # noqa: E402
from torch import nn  # noqa: E402
from torch.nn import functional as F  # noqa: E402, N812


class VAE(nn.Module):
    """The tutorial's model, layer by layer as in `benchmarks.plain_layers`, for images (channels, height, width)."""

    def __init__(self, height: int, width: int, channels: int, latent_dim: int) -> None:
        super().__init__()
        smallest = 64, (height - 8) // 4, (width - 8) // 4  # after two convolutions and two poolings
        features = smallest[0] * smallest[1] * smallest[2]
        self.encoder = nn.Sequential(
            *(nn.Conv2d(channels, 32, 3), nn.ReLU(), nn.MaxPool2d(2)),
            *(nn.Conv2d(32, 64, 3), nn.ReLU(), nn.MaxPool2d(2)),
            nn.Flatten(),
        )
        self.z_mean = nn.Linear(features, latent_dim)
        self.z_log_var = nn.Linear(features, latent_dim)
        self.decoder = nn.Sequential(
            *(nn.Linear(latent_dim, features), nn.Unflatten(1, smallest)),
            *(nn.Upsample(scale_factor=2), nn.ConvTranspose2d(64, 64, 3), nn.ReLU()),
            *(nn.Upsample(scale_factor=2), nn.ConvTranspose2d(64, 32, 3), nn.ReLU()),
            nn.ConvTranspose2d(32, channels, 3),
        )

    def forward(self, images: torch.Tensor, bfloat16: bool) -> torch.Tensor:
        """Return the negative ELBO in nats, averaged over the images (batch, channels, height, width)."""
        with torch.autocast("cpu", torch.bfloat16, enabled=bfloat16):
            h = self.encoder(images)
            with torch.autocast("cpu", enabled=False):
                z_mean, z_log_var = self.z_mean(h.float()), self.z_log_var(h.float())
                z = z_mean + torch.exp(0.5 * z_log_var) * torch.randn_like(z_mean)
            logits = self.decoder(z).float()
        reconstruction = F.binary_cross_entropy_with_logits(logits, images, reduction="sum")
        kl = 0.5 * torch.sum(z_mean**2 + torch.exp(z_log_var) - 1 - z_log_var)
        return (reconstruction + kl) / len(images)


def main(precision: str, layout: str, mode: str, batch_size: int, *size: int) -> None:
    torch.manual_seed(0)
    height, width, channels, latent_dim = size
    model = VAE(height, width, channels, latent_dim)
    images = torch.rand(100 * batch_size, channels, height, width)
    if layout == "channels_last":
        model = model.to(memory_format=torch.channels_last)
        images = images.to(memory_format=torch.channels_last)
    optimizer = torch.optim.Adam(model.parameters(), fused=True)
    loss_of = torch.compile(model) if mode == "compiled" else model

    def step(i: int) -> None:
        optimizer.zero_grad()
        loss_of(images[i * batch_size : (i + 1) * batch_size], precision == "bfloat16").backward()
        optimizer.step()

    for line in sys.stdin:
        step(0)  # not counted, as in the Keras contenders
        started = time.perf_counter()
        for i in range(int(line)):
            step(i)
        print(time.perf_counter() - started, flush=True)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3], *map(int, sys.argv[4:]))
